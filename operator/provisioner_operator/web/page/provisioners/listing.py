"""The list of provisioner daemons: what a user asks for, and its rendering from the index."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.kube.object_states import daemon_report
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.page import live, paths
from provisioner_operator.web.page.chrome import stale_since
from provisioner_operator.web.page.live_views import Rendering, Row
from provisioner_operator.web.page.name_pages import page_from, pager
from provisioner_operator.web.page.provisioners.table import (
    DaemonFacts,
    DaemonLine,
    count_blocked,
    daemon_line,
    fails_often,
    status_of,
)
from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.words import AWAY, counted

OFFLINE, ATTENTION = "offline", "attention"
"""Parameters of the page's address: `no` hides those that are offline, `yes` those that need no attention."""
_DENIED = (
    f"You lack the verb patch on {DAEMONS}. "
    "The ClusterRole provisioner-admin grants it; an administrator of the organization can bind it to you."
)


@dataclass(frozen=True, slots=True)
class DaemonView:
    """The list that a user asks for."""

    org: str
    namespaces: frozenset[str]
    job_namespaces: frozenset[str]
    """Those whose jobs the user may see: only these are named."""
    changeable: frozenset[str]
    """Those whose daemons the user may change."""
    include_offline: bool = True
    only_troubled: bool = False
    """Whether to list only those that need attention."""
    start: str = ""
    """Place at which the page begins."""

    @property
    def path(self) -> str:
        """Address without filters."""
        return paths.provisioners(self.org)

    @property
    def filters(self) -> dict[str, str]:
        """Parameters of its address, beside the start of the page."""
        given = {OFFLINE: "" if self.include_offline else "no", ATTENTION: "yes" if self.only_troubled else ""}
        return {key: value for key, value in given.items() if value}

    def address(self, **changes: bool) -> str:
        """Return the address of the list with these fields changed, from its first page on."""
        found = urlencode(replace(self, **changes).filters)  # type: ignore[arg-type] # by name, from our own code
        return f"{self.path}?{found}" if found else self.path

    @property
    def rights(self) -> live.Rights:
        """The rights that it depends on, beside that to list daemons."""
        return self.job_namespaces, self.changeable


def rendered(index: ClusterIndex, view: DaemonView, *, ticking: bool) -> Rendering:
    """Read the index, and return the list with its rendering."""
    stale = stale_since(index)
    live_queue = index.queue.live
    queues = (
        (demand, len(queue)) for demand, queue in live_queue.queues.items() if demand.namespace in view.job_namespaces
    )
    blocked = count_blocked((demand, number, live_queue.explain(demand)) for demand, number in queues)
    rows = [row for row in index.daemons.of(view.namespaces) if index.queue.daemon(row.uid) is not None]
    online = rows if view.include_offline else [row for row in rows if not _is_offline(index, row)]
    troubled = [row for row in online if (row.namespace, row.name) in blocked or fails_often(daemon_report(row.body))]
    found = troubled if view.only_troubled else online
    page = page_from(found, view.start)
    lines = [
        line
        for row in page.rows
        if (line := _line(index, row, view, blocked.get((row.namespace, row.name), 0), ticking=ticking)) is not None
    ]
    all_orgs = view.org == paths.ALL
    return Rendering(
        {line.key: Row(render("provisioners/row.html", daemon=line, all_orgs=all_orgs)) for line in lines},
        lambda rows: render(
            "provisioners/region.html",
            rows=rows,
            stale=stale,
            all_orgs=all_orgs,
            total=counted(len(found), "provisioner"),
            view=view,
            shown=len(online),
            troubled=len(troubled),
            hidden=len(rows) - len(online),
            has_any=bool(rows),
            pager=pager(page, view.path, **view.filters),
        ),
    )


def _is_offline(index: ClusterIndex, row: ObjectRow) -> bool:
    daemon = index.queue.daemon(row.uid)
    return daemon is not None and status_of(daemon, online=index.queue.is_online(daemon), used=0).word == "Offline"


def _line(index: ClusterIndex, row: ObjectRow, view: DaemonView, blocked: int, *, ticking: bool) -> DaemonLine | None:
    daemon = index.queue.daemon(row.uid)
    if daemon is None:
        return None
    facts = DaemonFacts(index.queue.is_online(daemon), index.queue.used(daemon), blocked_by_tags=blocked)
    if row.namespace in view.job_namespaces:
        rows = (index.jobs.get(run.job_uid) for run in daemon.runs)
        previous = index.jobs.last_ended_on(row.name, row.namespace)
        facts = replace(
            facts,
            current=tuple(sorted((each.job for each in rows if each is not None), key=lambda job: natural(job.name))),
            previous=None if previous is None else previous.job,
        )
    return daemon_line(
        daemon,
        daemon_report(row.body),
        facts,
        own_version=__version__,
        closed=_closed(index, row, view),
        now=None if ticking else index.now(),
    )


def _closed(index: ClusterIndex, row: ObjectRow, view: DaemonView) -> str:
    if stale_since(index) is not None:
        return AWAY
    return "" if row.namespace in view.changeable else _DENIED
