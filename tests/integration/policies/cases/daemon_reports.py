"""Reports of a daemon: heartbeats and the progress of jobs."""

from integration.policies.cases.case import Case, Request, status
from integration.policies.cases.objects import NOW
from support.builders.manifests import an_assignment

_SUSPENSION = "a daemon may not change status.suspendedAt or status.suspendedSeconds"
_CLOCK = "only the controller ends jobs at these timeouts"


def _refused(title: str, who: str, request: Request, says: str) -> Case:
    return Case("daemon", title, who, request, refused=says)


def _allowed(title: str, who: str, request: Request) -> Case:
    return Case("daemon", title, who, request)


def _heartbeat(daemon: str) -> Request:
    return status("pd", daemon, state="Idle")


def _not_its_own(who: str, daemon: str, pod: str, title: str) -> Case:
    says = f'Pod "{pod}" may not heartbeat for provisionerdaemons "{daemon}"'
    return Case("daemon-heartbeats", title, who, _heartbeat(daemon), refused=says)


_PROGRESS = {"stage": "plan"}
_DONE = {"phase": "Completed", "reason": "Completed", "finishedAt": NOW}
_FAILED = {"phase": "Failed", "finishedAt": NOW}

CASES = (
    _allowed("a daemon acknowledges its job", "POD-mine", status("pj", "mine-pending", phase="Running", startedAt=NOW)),
    _allowed("a daemon reports progress", "POD-mine", status("pj", "mine-running", **_PROGRESS)),
    _allowed("a daemon ends its job", "POD-mine", status("pj", "mine-running", **_DONE)),
    _refused(
        "another daemon's job",
        "POD-mine",
        status("pj", "other-running", **_PROGRESS),
        'daemon "mine" may not report on provisionerjobs "other-running", which is assigned to "other"',
    ),
    _refused(
        "a job of a former Pod of its name",
        "POD-reborn",
        status("pj", "reborn-running", **_PROGRESS),
        'provisionerjobs "reborn-running", which is assigned to "reborn", a former Pod of that name: a daemon reports only',
    ),
    _allowed(
        "a job of its name whose assignment records no Pod", "POD-other", status("pj", "other-running", **_PROGRESS)
    ),
    _refused(
        "nobody's job",
        "POD-mine",
        status("pj", "plain", assignment=an_assignment("mine")),
        'provisionerjobs "plain", which is not assigned',
    ),
    _refused(
        "nobody's job, by a daemon that is no Pod",
        "external-daemon",
        status("pj", "plain", phase="Failed", finishedAt=NOW),
        'provisionerjobs "plain", which is not assigned: a daemon reports only',
    ),
    _refused(
        "a job of a Pod, by a daemon that is none",
        "external-daemon",
        status("pj", "mine-running", **_PROGRESS),
        'daemon "" may not report',
    ),
    _allowed("a job of the daemon that it may speak for", "named-daemon", status("pj", "named-running", **_PROGRESS)),
    _refused(
        "a job of a daemon that it may not speak for",
        "named-daemon",
        status("pj", "other-running", **_PROGRESS),
        'which is assigned to "other"',
    ),
    Case("daemon-heartbeats", "a daemon heartbeats", "POD-mine", _heartbeat("mine")),
    _not_its_own("POD-mine", "other", "mine", "another daemon"),
    _not_its_own("POD-mine", "alias", "mine", "a daemon of another name that its Pod owns"),
    _not_its_own("POD-reborn", "reborn", "reborn", "a daemon that a former Pod of its name owns"),
    _not_its_own("POD-odd", "odd", "odd", "a daemon that is owned by something of its UID that is no Pod"),
    _not_its_own("external-daemon", "mine", "", "a daemon of a Pod, by a daemon that is none"),
    Case("daemon-heartbeats", "the daemon that it may speak for", "named-daemon", _heartbeat("named")),
    _not_its_own("named-daemon", "other", "", "a daemon that it may not speak for"),
    _refused("how long it was suspended", "POD-mine", status("pj", "mine-running", suspendedSeconds=9), _SUSPENSION),
    _refused("since when it is suspended", "POD-mine", status("pj", "mine-running", suspendedAt=NOW), _SUSPENSION),
    _refused(
        "a pending job that is left pending",
        "POD-mine",
        status("pj", "mine-pending", message="wait"),
        "a daemon may change a pending job only by acknowledging it",
    ),
    _refused(
        "a pending job that is ended",
        "POD-mine",
        status("pj", "mine-pending", **_FAILED),
        "a daemon may change a pending job only by acknowledging it",
    ),
    *(
        _refused(f"a job ended by {reason}", "POD-mine", status("pj", "mine-running", **_FAILED, reason=reason), _CLOCK)
        for reason in ("PendingTimeout", "DeadlineExceeded")
    ),
    _allowed("a job ended by RunFailed", "POD-mine", status("pj", "mine-running", **_FAILED, reason="RunFailed")),
    _allowed(
        "the log of a job that the controller ended",
        "POD-mine",
        status("pj", "mine-failed", log={"configMap": "mine-failed-log", "bytes": 1}),
    ),
    _allowed("the controller is no daemon", "controller", status("pj", "mine-running", suspendedSeconds=9)),
    _allowed("who may act for users", "overseer", status("pj", "mine-running", suspendedSeconds=9)),
    _allowed("a job of any daemon, by who may speak for all", "spokesman", status("pj", "mine-running", **_PROGRESS)),
    _refused(
        "how long it was suspended, by who may speak for all",
        "spokesman",
        status("pj", "mine-running", suspendedSeconds=9),
        _SUSPENSION,
    ),
    _allowed("a component of the cluster", "system:a-component", status("pj", "mine-running", suspendedSeconds=9)),
)
