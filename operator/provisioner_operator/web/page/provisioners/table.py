"""Lines of the list of provisioner daemons. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION, POOL_LABEL
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.explanation import Explanation
from provisioner_operator.core.scheduling.smallest_change import ScopeDaemon, ScopeJob, TagDaemon, TagJob
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.times import Moment, moment
from provisioner_operator.web.page.words import PHASES, Mark, TagList, tag_list

MANY_FAILURES = 3
"""Failures in a row that are unlikely to be the fault of the jobs."""
_TAG_EDITS = (TagDaemon, TagJob, ScopeDaemon, ScopeJob)


@dataclass(frozen=True, slots=True)
class JobLink:
    """A job on a daemon."""

    name: str
    href: str
    status: Mark | None = None


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """State of a daemon in the index, beside its own report."""

    online: bool
    used: int
    current: tuple[Job, ...] = ()
    previous: Job | None = None
    blocked_by_tags: int = 0
    """Waiting jobs that match no daemon and come closest to this one."""


@dataclass(frozen=True, slots=True)
class DaemonLine:
    """One line of the list."""

    key: str
    org: str
    name: str
    pool: str
    status: Mark
    slots: str
    cordoned: bool
    cordoned_by: str
    """Pool that cordoned it."""
    version: str
    is_other_version: bool
    """Whether its version is not this server's."""
    tags: TagList
    last_seen: Moment | None
    current: tuple[JobLink, ...]
    previous: JobLink | None
    failures: int
    fails_often: bool
    blocked_by_tags: int
    closed: str
    """Reason why the user cannot change it now; empty if there is none."""
    jobs_href: str

    @property
    def needs_attention(self) -> bool:
        """Whether it is a cause of trouble: it fails often, or jobs wait because its tags differ a little."""
        return self.fails_often or self.blocked_by_tags > 0

    def action(self, name: str) -> str:
        """Return the address of the form that changes it."""
        return paths.provisioner_action(self.org, self.name, name)


def daemon_line(
    daemon: Daemon, report: DaemonReport, facts: DaemonFacts, *, own_version: str, closed: str, now: float | None
) -> DaemonLine:
    """Return the line of a daemon."""
    labels = report.meta.labels
    return DaemonLine(
        key=daemon.uid,
        org=daemon.namespace,
        name=daemon.name,
        pool=labels.get(POOL_LABEL, ""),
        status=status_of(daemon, online=facts.online, used=facts.used),
        slots=f"{facts.used} of {daemon.capacity}",
        cordoned=daemon.cordoned,
        cordoned_by=report.meta.annotations.get(CORDONED_BY_ANNOTATION, ""),
        version=report.version,
        is_other_version=bool(report.version) and report.version != own_version,
        tags=tag_list(daemon.supply.tags),
        last_seen=moment(datetime.fromisoformat(daemon.heartbeat).timestamp(), now) if daemon.heartbeat else None,
        current=tuple(_link(job) for job in facts.current),
        previous=_link(facts.previous, PHASES[facts.previous.phase]) if facts.previous else None,
        failures=report.consecutive_failures,
        fails_often=fails_often(report),
        blocked_by_tags=facts.blocked_by_tags,
        closed=closed,
        jobs_href=f"{paths.jobs(daemon.namespace)}?daemon={daemon.name}",
    )


def fails_often(report: DaemonReport) -> bool:
    """Return whether it failed so often in a row that the jobs are hardly to blame."""
    return report.consecutive_failures >= MANY_FAILURES


def status_of(daemon: Daemon, *, online: bool, used: int) -> Mark:
    """Return the daemon's status: an offline one is offline whatever it ran, and a cordoned one gets nothing more."""
    if daemon.state is DaemonState.DRAINING:
        return Mark("Draining", "stop", "work")
    if not online:
        return Mark("Offline", "alert", "bad")
    if daemon.cordoned:
        return Mark("Draining" if used else "Cordoned", "ban", "wait")
    return Mark("Busy", "play", "work") if used else Mark("Idle", "check", "good")


def count_blocked(explained: Iterable[tuple[Demand, int, Explanation | None]]) -> Mapping[tuple[str, str], int]:
    """Count the waiting jobs that a change of tags would unblock, by the daemon (namespace, name) that would run them."""
    found: dict[tuple[str, str], int] = {}
    for demand, jobs, explanation in explained:
        nearest = {edit.daemon for edit in (explanation.edits if explanation else ()) if isinstance(edit, _TAG_EDITS)}
        for name in nearest:
            found[demand.namespace, name] = found.get((demand.namespace, name), 0) + jobs
    return found


def _link(job: Job, status: Mark | None = None) -> JobLink:
    return JobLink(job.name, paths.job(job.namespace, job.name), status)
