"""Pages, counts and searches of any jobs equal what looking at all of them finds."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.core.model.matching import UNTAGGED, effective_tags, tags_match
from provisioner_operator.web.index.job_index import JobIndex
from provisioner_operator.web.index.job_lists import JobLists
from provisioner_operator.web.index.query import Counts, Cursor, JobQuery
from provisioner_operator.web.index.row_store import RowStore
from provisioner_operator.web.index.rows import JobRow
from support.builders.core import NOON, a_job, an_assignment

NAMESPACES = ("acme", "umbrella", "initech")
UIDS = [f"{number:08x}-aaaa-4bbb-8ccc-00000000000{number}" for number in range(6)] + ["uid-of-odd", "uid-of-even"]
WORKSPACES = st.sampled_from([None, "dev", "Dev-2", "prod"])
USERS = st.sampled_from([None, "ada", "Sam@Example.com"])
TEMPLATES = st.sampled_from([None, "docker", "kubernetes"])
PRIORITIES = st.sampled_from([0, 0, 7, -5])
TAG_SETS = st.sampled_from([{}, {"region": "eu"}, {"region": "EU", "disk": "ssd"}, {"scope": "user", "owner": "ada"}])


class Stuck:
    """Declares the jobs stuck that a test names."""

    def __init__(self, rows: dict[str, JobRow]) -> None:
        self._rows = rows
        self.uids: set[str] = set()
        self._versions = count()

    def stuck_jobs(self, namespaces: Collection[str]) -> Iterable[str]:
        return [row.job.uid for row in self._rows.values() if self.has(row) and row.job.namespace in namespaces]

    def count_stuck(self, namespaces: Collection[str]) -> int:
        return len(list(self.stuck_jobs(namespaces)))

    def stuck_version(self) -> int:
        return next(self._versions)

    def has(self, row: JobRow) -> bool:
        return row.job.uid in self.uids and not row.is_ended


@st.composite
def rows(draw: st.DrawFn) -> JobRow:
    """A row of any phase; a uid always has the same name, namespace and time of creation."""
    at = draw(st.integers(0, len(UIDS) - 1))
    daemon = draw(st.sampled_from([None, "docker-1", "edge"]))
    job = a_job(
        f"dev-{at}",
        uid=UIDS[at],
        namespace=NAMESPACES[at % 3],
        created=at // 3,
        phase=draw(st.sampled_from(Phase)),
        type=draw(st.sampled_from(JobType)),
        workspace=draw(WORKSPACES),
        initiator=draw(USERS),
        tags=draw(TAG_SETS),
        priority=draw(PRIORITIES),
        assignment=None if daemon is None else replace(an_assignment(daemon), id="", time=0.0),
        reason=draw(st.sampled_from([None, "RunFailed"])),
        resource_version=draw(st.integers(1, 9)),
    )
    return JobRow(
        job=job,
        template=draw(TEMPLATES),
        template_uid=None,
        version=draw(st.sampled_from([None, "v1"])),
        workspace_uid=None,
        build_number=draw(st.sampled_from([None, 7])),
        owner_may_cancel=draw(st.booleans()),
        stage=None,
        retry_of=None,
    )


STEPS = st.lists(rows() | st.sampled_from(UIDS), max_size=30)
"""Rows that are put, and uids that are removed."""
WORDS = st.sampled_from(
    [
        *("dev", "DOCKER", "a", "ada", "sam", "region=eu", "disk", "owner", "scope", "zzz", "e", "-", "="),
        *("00000001-aaaa", "000000000002", "-AAAA-4", "aaaa4bbb", "of-od", "bbb", "----", "000000-aaaa"),
    ]
)
TIMES = st.sampled_from([NOON - 1, NOON, NOON + 1, NOON + 2])
QUERIES = st.builds(
    JobQuery,
    phases=st.frozensets(st.sampled_from(Phase), max_size=2),
    stuck=st.sampled_from([False, False, True]),
    text=st.lists(WORDS, max_size=2).map(" ".join),
    uids=st.just(frozenset[str]()) | st.frozensets(st.sampled_from([*UIDS, "unknown"]), max_size=3),
    tags=st.sampled_from([frozenset(), frozenset(), UNTAGGED, effective_tags({"region": "eu"})]),
    types=st.just(frozenset[JobType]()) | st.frozensets(st.sampled_from(JobType), max_size=2),
    template=st.sampled_from(["", "", "docker", "none"]),
    workspace=st.sampled_from(["", "", "dev"]),
    daemon=st.sampled_from(["", "", "edge"]),
    initiator=st.sampled_from(["", "", "ada"]),
    priority=st.sampled_from([None, None, 0, -5]),
    since=st.none() | TIMES,
    before=st.none() | st.builds(Cursor, TIMES, st.sampled_from(["", "5", *UIDS])),
)
ALLOWED = st.sets(st.sampled_from([*NAMESPACES, "unknown"]))


def words_of(row: JobRow) -> list[str]:
    job = row.job
    named = [job.name, job.workspace, row.template, job.initiator, job.assignment and job.assignment.daemon]
    tags = [f"{key}={value}" for key, value in job.demand.tags - UNTAGGED]
    return [each.lower() for each in [*named, *tags] if each]


def has(value: str, word: str) -> bool:
    return word in value if len(word) > 1 else any(each.startswith(word) for each in value.split())


def is_found(row: JobRow, word: str) -> bool:
    # Shorter words are in too many uids.
    return any(has(each, word) for each in words_of(row)) or (len(word) >= 4 and word in row.job.uid)


def meets(row: JobRow, query: JobQuery, stuck: Stuck) -> bool:
    """Whether the query selects the job, whatever its place."""
    job = row.job
    return (
        (not query.phases or job.phase in query.phases)
        and (not query.stuck or stuck.has(row))
        and all(is_found(row, word) for word in query.text.lower().split())
        and (not query.uids or job.uid in query.uids)
        and (not query.tags or tags_match(job.demand.tags, query.tags))
        and (not query.types or job.type in query.types)
        and query.template in ("", row.template)
        and query.workspace in ("", job.workspace)
        and query.daemon in ("", job.assignment and job.assignment.daemon)
        and query.initiator in ("", job.initiator)
        and query.priority in (None, job.priority)
        and (query.since is None or job.created >= query.since)
    )


def order(row: JobRow) -> tuple[float, str]:
    return row.job.created, row.job.uid


def filled(steps: Sequence[JobRow | str]) -> tuple[JobIndex, dict[str, JobRow], Stuck]:
    """An index after these steps, the rows that it has, and what declares jobs stuck."""
    kept: dict[str, JobRow] = {}
    stuck = Stuck(kept)
    index = JobIndex(stuck)
    for step in steps:
        if isinstance(step, JobRow):
            index.put(step)
            kept[step.job.uid] = step
        else:
            assert index.remove(step) == kept.pop(step, None)
        # Searched in between, so that nothing is kept for too long.
        index.page(JobQuery(text="dev"), NAMESPACES, 1)
    return index, kept, stuck


@given(STEPS, QUERIES, ALLOWED, st.sampled_from([None, 1, 2, 50]), st.sets(st.sampled_from(UIDS)))
def test_a_page_is_what_filtering_and_sorting_all_jobs_gives(
    steps: Sequence[JobRow | str], query: JobQuery, allowed: set[str], limit: int | None, stuck_uids: set[str]
) -> None:
    index, kept, stuck = filled(steps)
    stuck.uids = stuck_uids

    page = index.page(query, allowed, limit)

    selected = [row for row in kept.values() if row.job.namespace in allowed and meets(row, query, stuck)]
    following = [
        row for row in selected if query.before is None or order(row) < (query.before.created, query.before.uid)
    ]
    newest = sorted(following, key=order, reverse=True)
    assert list(page.rows) == newest[:limit]
    assert page.total == len(selected)
    assert (page.next is not None) == (limit is not None and len(newest) > limit)


@given(STEPS, QUERIES, ALLOWED, st.integers(1, 3))
def test_going_from_page_to_page_shows_each_job_once(
    steps: Sequence[JobRow | str], query: JobQuery, allowed: set[str], limit: int
) -> None:
    index, _, _ = filled(steps)
    query = replace(query, before=None)
    everything = index.page(query, allowed, None)

    shown: list[JobRow] = []
    page = index.page(query, allowed, limit)
    shown += page.rows
    while page.next is not None:
        page = index.page(replace(query, before=page.next), allowed, limit)
        shown += page.rows

    assert shown == list(everything.rows)


@given(STEPS, QUERIES, ALLOWED, st.sets(st.sampled_from(UIDS)))
def test_counts_are_those_of_all_jobs_looked_at_one_by_one(
    steps: Sequence[JobRow | str], query: JobQuery, allowed: set[str], stuck_uids: set[str]
) -> None:
    index, kept, stuck = filled(steps)
    stuck.uids = stuck_uids

    without = replace(query, phases=frozenset(), stuck=False)
    selected = [row for row in kept.values() if row.job.namespace in allowed and meets(row, without, stuck)]
    phases = Counter(row.job.phase for row in selected)
    assert index.counts(allowed, query) == Counts(dict(phases), sum(map(stuck.has, selected)))
    both = (index.page(query, allowed, 2), index.counts(allowed, query))
    assert index.page_and_counts(query, allowed, 2) == both


@given(STEPS, ALLOWED)
def test_each_job_is_found_by_uid_and_name_and_with_its_workspace(
    steps: Sequence[JobRow | str], allowed: set[str]
) -> None:
    index, kept, _ = filled(steps)

    assert len(index) == len(kept)
    assert index.versions() == {uid: row.job.resource_version for uid, row in kept.items()}
    for namespace in NAMESPACES:
        mine = [row.job for row in kept.values() if row.job.namespace == namespace]
        assert index.versions(namespace) == {job.uid: job.resource_version for job in mine}
    for uid in UIDS:
        assert index.get(uid) == kept.get(uid)
        assert index.version(uid) == (kept[uid].job.resource_version if uid in kept else 0)
    for row in kept.values():
        assert index.named(row.job.namespace, row.job.name) == row
        if row.job.workspace is not None:
            same = [
                each
                for each in kept.values()
                if (each.job.namespace, each.job.workspace) == (row.job.namespace, row.job.workspace)
            ]
            assert index.of_workspace(row.job.namespace, row.job.workspace) == sorted(same, key=order, reverse=True)
    users = {row.job.initiator for row in kept.values() if row.job.namespace in allowed and row.job.initiator}
    assert index.initiators(allowed) == users


def a_row(**fields: Any) -> JobRow:
    return JobRow(a_job(**fields), None, None, None, None, None, owner_may_cancel=False, stage=None, retry_of=None)


def test_a_name_belongs_to_the_last_job_that_has_it() -> None:
    index = JobIndex(Stuck({}))
    first, second = a_row(uid="first"), a_row(uid="second")
    index.put(first)
    index.put(second)

    assert index.named("acme", "job") == second
    index.remove("first")
    assert index.named("acme", "job") == second
    index.remove("second")
    assert index.named("acme", "job") is None


def test_users_whose_jobs_are_gone_are_not_kept() -> None:
    index = JobIndex(Stuck({}))
    index.put(a_row(initiator="ada"))
    index.put(a_row(initiator="sam"))
    assert index.initiators(["acme"]) == {"sam"}

    index.remove("uid-of-job")
    assert vars(index)["_initiators"] == {}


def test_the_jobs_that_ended_last_come_first() -> None:
    index = JobIndex(Stuck({}))
    for number in range(3):
        index.put(a_row(name=f"dev-{number}", created=number, phase=Phase.FAILED))
    index.put(a_row(name="waits", created=9))

    assert [row.job.name for row in index.ended("acme", 2)] == ["dev-2", "dev-1"]


def test_jobs_of_a_workspace_of_the_same_name_elsewhere_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    index = JobIndex(Stuck({}))
    for number in range(9):
        index.put(a_row(name="dev-1", uid=f"u-{number}", namespace=f"team-{number}", workspace="dev"))
    unpacked: list[int] = []
    monkeypatch.setattr(RowStore, "row", lambda _, slot: unpacked.append(slot))

    index.of_workspace("team-5", "dev")
    assert unpacked == [5]


def test_thousands_of_jobs_are_found_among_each_other() -> None:
    index = JobIndex(Stuck({}))
    for number in range(3000):
        index.put(a_row(name=f"ws-{number}", uid=f"u-{number}", created=-number, phase=Phase.COMPLETED))
    for number in range(0, 3000, 3):
        index.remove(f"u-{number}")

    assert index.page(JobQuery(text="ws-2999"), ["acme"], 9).total == 1
    assert index.page(JobQuery(text="ws-3"), ["acme"], 9).total == sum(
        str(number).startswith("3") for number in range(3000) if number % 3
    )
    assert index.page(JobQuery(text="ws"), ["acme"], 9).total == 2000
    assert index.get("u-3") is None
    row = index.get("u-4")
    assert row is not None
    assert row.job.name == "ws-4"


def test_what_was_listed_is_sorted_before_it_is_shown() -> None:
    # An API server lists by name.
    store = RowStore()
    lists = JobLists(store)
    for second in (3, 1, 2):
        row = a_row(name=f"job-{second}", uid=f"u-{second}", created=second)
        lists.add(store.add(row), row)
    lists.prepare()
    late = [slots._late for each in lists._lists.values() for slots in each.values()]  # noqa: SLF001 - only time shows it
    assert [len(each) for each in late] == [0, 0]


def test_the_last_job_of_a_daemon_is_the_one_that_ended_last() -> None:
    index = JobIndex(Stuck({}))
    assert index.last_ended_on("d1", "acme") is None
    for name, created, finished, daemon in [("long", 0, 90, "d1"), ("short", 5, 20, "d1"), ("other", 9, 99, "d2")]:
        index.put(
            a_row(
                name=name,
                namespace="acme",
                created=created,
                phase=Phase.COMPLETED,
                assignment=an_assignment(daemon),
                started=NOON,
                finished=NOON + finished,
            )
        )
    found = index.last_ended_on("d1", "acme")
    assert found is not None
    assert found.job.name == "long"
