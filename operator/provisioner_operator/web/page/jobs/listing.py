"""The list of jobs: what surrounds its lines, and its rendering from the index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from markupsafe import Markup

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.estimates.run_length import OVERLONG
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.query import Counts, Page
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.chrome import stale_since
from provisioner_operator.web.page.jobs.filters import (
    SINCE,
    SIZES,
    STUCK,
    Chip,
    JobFilter,
    chips,
    toggled,
)
from provisioner_operator.web.page.jobs.table import CancelRights, JobLine, QueueFacts, cancel_button, job_line
from provisioner_operator.web.page.live_views import Rendering, Row
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.times import Elapsed
from provisioner_operator.web.page.words import JOB_TYPES, PHASES, counted
from provisioner_operator.web.words import TYPE_WORD

_KEPT_ROWS = 1024
"""Rendered rows to keep, some 2 kB each: from one page to the next few of them change."""

_EXAMPLE = """\
kubectl -n {org} create -f - <<END
apiVersion: provisioner.dev/v1alpha1
kind: ProvisionerJob
metadata: {{generateName: dev-}}
spec:
  provisioner: echo
  transition: Start
  workspaceRef: {{name: dev}}
END"""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """Number of jobs of a status, and the link that selects them."""

    label: str
    value: str
    number: int
    href: str
    current: bool
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class JobList:
    """Everything around the lines."""

    org: str
    filter: JobFilter
    counts: tuple[StatusCount, ...]
    total: str
    older_href: str
    stale: Elapsed | None

    @property
    def path(self) -> str:
        """Address without filters."""
        return paths.jobs(self.org)

    @property
    def bulk_path(self) -> str:
        """Form that cancels the selected jobs."""
        return paths.cancel_jobs(self.org)

    @property
    def all_orgs(self) -> bool:
        """Whether it lists all organizations, so that each line names its own."""
        return self.org == paths.ALL

    @property
    def first_page(self) -> bool:
        """Whether new jobs appear on this page."""
        return not self.filter.before

    @property
    def newest_href(self) -> str:
        """Address of the first page, from a later one."""
        return "" if self.first_page else self.filter.address(self.path)

    @property
    def chips(self) -> list[Chip]:
        """The active filters."""
        return chips(self.filter, self.path)

    @property
    def filters_open(self) -> bool:
        """Whether filters are active that only the unfolded form shows."""
        return replace(self.filter, text="", statuses=(), before="", ignored=(), size=SIZES[1]) != JobFilter()

    @property
    def example(self) -> str:
        """Command that submits a job, for an organization without any."""
        return _EXAMPLE.format(org="ORGANIZATION" if self.all_orgs else self.org)

    @property
    def types(self) -> list[tuple[str, str]]:
        """Choices of the filter by type."""
        return [(value, JOB_TYPES[key]) for key, value in TYPE_WORD.items()]

    @property
    def ages(self) -> list[tuple[str, str]]:
        """Choices of the filter by age."""
        return [(key, words) for key, (words, _) in SINCE.items()]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Choices of the number of jobs on a page."""
        return SIZES


def status_counts(found: Counts, current: JobFilter, path: str) -> tuple[StatusCount, ...]:
    """Return the number of jobs of each status, each with the link that selects it alone."""
    total = sum(found.phases.values())
    alone = current.statuses
    return (
        StatusCount("All", "", total, current.address(path, statuses=()), not alone),
        StatusCount(
            "Stuck",
            STUCK,
            found.stuck,
            current.address(path, statuses=toggled(alone, STUCK)),
            STUCK in alone,
            "alert",
            "bad",
        ),
        *(
            StatusCount(
                PHASES[phase].word,
                phase.lower(),
                found.phases.get(phase, 0),
                current.address(path, statuses=toggled(alone, phase.lower())),
                phase.lower() in alone,
                PHASES[phase].icon,
                PHASES[phase].tone,
            )
            for phase in Phase
        ),
    )


def job_list(org: str, current: JobFilter, page: Page, found: Counts, stale: Elapsed | None) -> JobList:
    """Return what surrounds the lines of this page."""
    path = paths.jobs(org)
    older = current.address(path, before=page.next.text) if page.next else ""
    return JobList(org, current, status_counts(found, current, path), counted(page.total, "job"), older, stale)


def queue_facts(index: ClusterIndex, row: JobRow) -> QueueFacts:
    """Return what the queue knows of a job."""
    if row.is_ended:
        return QueueFacts()
    queue, job = index.queue, row.job
    run = queue.run_of(job)
    reason = OVERLONG if run is not None and run.is_overlong else queue.reason(job)
    return QueueFacts(queue.place(job.uid), reason, queue.is_stuck(job))


def rendered(
    index: ClusterIndex,
    org: str,
    current: JobFilter,
    namespaces: frozenset[str],
    rights: CancelRights,
    *,
    ticking: bool,
) -> tuple[JobList, Rendering]:
    """Read the index, and return the list with its rendering for users of these rights; of nobody in particular."""
    now = index.now()
    stale = stale_since(index)
    query = current.query(now)
    page, counts = index.jobs.page_and_counts(query, namespaces, current.size)
    around = job_list(org, current, page, counts, stale)
    rights = replace(rights, is_away=stale is not None)
    lines = [job_line(row, queue_facts(index, row), rights, now, ticking=ticking) for row in page.rows]
    owned = [
        (line, row)
        for line, row in zip(lines, page.rows, strict=True)
        if row.owner_may_cancel and rights.depends_on_owner(row.job.namespace)
    ]
    row_of = partial(rendered_row, all_orgs=around.all_orgs)

    def own_rows(user: str) -> dict[str, Row]:
        own = replace(rights, user=user)
        return {
            line.key: row_of(replace(line, cancel=cancel_button(row, own)))
            for line, row in owned
            if row.job.workspace_owner == user
        }

    return around, Rendering(
        {line.key: row_of(line) for line in lines},
        lambda rows: _shell(around, rows),
        owners={row.job.workspace_owner for _, row in owned if row.job.workspace_owner},
        own_rows=own_rows,
    )


def rendered_row(line: JobLine, *, all_orgs: bool) -> Row:
    """Render a line: what changes most often goes into a frame that is kept."""
    created, elapsed = line.created, line.elapsed
    framed = replace(
        line,
        created=replace(created, text=_GAP),
        place=_GAP if line.place else "",
        elapsed=replace(elapsed, iso=_GAP, text=_GAP),
    )
    start, *middle, last, end = _frame(framed, all_orgs)
    before = start + created.text + middle[0]
    after = elapsed.iso + last + elapsed.text + end
    return Row(before, line.place, middle[1] + after) if line.place else Row(before + after)


@lru_cache(maxsize=_KEPT_ROWS)
def _frame(line: JobLine, all_orgs: bool) -> tuple[Markup, ...]:  # noqa: FBT001 # a key of the cache
    return tuple(render("jobs/row.html", job=line, all_orgs=all_orgs).split(_GAP))


_GAP = Markup("<!---->")
"""Stands for what changes most often: times, and the place in a queue."""


def _shell(around: JobList, rows: Sequence[Markup]) -> Markup:
    return render("jobs/region.html", list=around, rows=rows, org=around.org, stale=around.stale)
