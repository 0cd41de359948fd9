"""Judge the parts of an installation, each finding with its remedy. Pure; `probe` reads what they judge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.daemons.table import MANY_FAILURES
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.leadership import Lease
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.object_states import Body

TOLERATED_SKEW_SECONDS = 5.0
"""Clocks that differ by more make the times in lists misleading."""
EXPLAINED_WITHIN_SECONDS = 60.0
"""A controller has assigned a waiting job by then, or written why it waits."""
_NAMED = 3
"""Most jobs to name."""

VALIDATING = (
    "cancel.provisioner.dev",
    "daemon-events.provisioner.dev",
    "daemon-heartbeats.provisioner.dev",
    "daemon-logs.provisioner.dev",
    "daemon-registration.provisioner.dev",
    "daemon-state.provisioner.dev",
    "daemon.provisioner.dev",
    "identity.provisioner.dev",
    "job-ownership.provisioner.dev",
    "state-lock.provisioner.dev",
    "template-in-use.provisioner.dev",
    "workspace-approval.provisioner.dev",
    "workspace-owner.provisioner.dev",
    "workspace-parameters.provisioner.dev",
)
"""The policies that the manifests install."""
_STAMP_JOB, _STAMP_WORKSPACE = "stamp-job.provisioner.dev", "stamp-workspace.provisioner.dev"
_UNTRACKED_DAEMON = "untracked-daemon.provisioner.dev"
_FORMER_STAMPS = ("stamp-canceler.provisioner.dev", "stamp-initiator.provisioner.dev")
"""The policies that `stamp-job` replaced."""
STAMPING = (_STAMP_JOB, _STAMP_WORKSPACE, _UNTRACKED_DAEMON)
"""The policies that the component `stamping` installs."""

_INSTALL = "kubectl apply --server-side -k manifests/default"


class Level(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    """The user lacks the permission to check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    check: str
    level: Level
    message: str
    remedy: str = ""


def kinds(installed: Iterable[str], wanted: Sequence[str]) -> Finding:
    """Check that all kinds are installed, by their plurals."""
    missing = [plural for plural in wanted if plural not in set(installed)]
    if missing:
        message = f"These kinds are not installed: {', '.join(missing)}."
        return Finding("kinds", Level.ERROR, message, f"Install them: {_INSTALL}")
    return Finding("kinds", Level.OK, f"Installed: {', '.join(wanted)}.")


def definitions(found: Mapping[str, Body], wanted: Mapping[str, Body]) -> Finding:
    """Check that the CustomResourceDefinitions in the cluster are those of this version, by plural."""
    differing = [
        plural
        for plural, definition in wanted.items()
        if plural in found and _compared(found[plural]) != _compared(definition)
    ]
    if differing:
        message = f"The CustomResourceDefinitions of {', '.join(differing)} are of another version than this program."
        remedy = f"Apply the manifests of this version ({_INSTALL}), or use this program in the cluster's version."
        return Finding("definitions", Level.WARNING, message, remedy)
    return Finding("definitions", Level.OK, "The CustomResourceDefinitions are those of this version.")


def _compared(definition: Body) -> object:
    version = definition["spec"]["versions"][0]
    return version["schema"], version.get("additionalPrinterColumns"), version.get("selectableFields")


def policies(validating: Iterable[str], bound: Iterable[str]) -> Finding:
    """Check that all policies that guard the API exist and are bound, by name."""
    existing, active = set(validating), set(bound)
    missing = [name for name in VALIDATING if name not in existing or name not in active]
    if missing:
        message = (
            f"These admission policies are missing or not bound: {', '.join(missing)}."
            " Everybody who may write jobs or daemons can do what they forbid, unless other policies forbid it."
        )
        return Finding("policies", Level.ERROR, message, f"Apply them: {_INSTALL}")
    return Finding("policies", Level.OK, f"Active: {', '.join(VALIDATING)}.")


def stamping(mutating: Iterable[str] | None) -> Finding:
    """Check that the API server records who submits and who cancels; None if it has no mutating policies."""
    if mutating is None:
        message = "This API server cannot record who submits and who cancels jobs: that needs Kubernetes 1.36."
        remedy = "Upgrade the cluster, then add manifests/components/stamping to your kustomization."
        return Finding("stamping", Level.WARNING, message, remedy)
    active, remedy = set(mutating), "Add manifests/components/stamping to your kustomization."
    former = [name for name in _FORMER_STAMPS if name in active]
    if _STAMP_WORKSPACE not in active or (_STAMP_JOB not in active and len(former) < len(_FORMER_STAMPS)):
        message = "The users who submit and cancel jobs are recorded only if their clients fill in the fields."
        return Finding("stamping", Level.WARNING, message, remedy)
    if _STAMP_JOB in active and former:
        message = f"These policies of a former version only cost time: {', '.join(former)}."
        remedy = f"kubectl delete mutatingadmissionpolicy,mutatingadmissionpolicybinding {' '.join(former)}"
        return Finding("stamping", Level.WARNING, message, remedy)
    if _STAMP_JOB in active and _UNTRACKED_DAEMON not in active:
        message = f"Heartbeats cost the API server more than they have to: {_UNTRACKED_DAEMON} is missing."
        return Finding("stamping", Level.WARNING, message, remedy)
    return Finding("stamping", Level.OK, "The API server records who submits and who cancels jobs.")


def warnings(omitted: Mapping[str, Sequence[str]]) -> Finding:
    """Check that the API server can warn about jobs that nobody can run; by namespace, what its ProvisionerSupply omits."""
    if not omitted:
        message = "There is no ProvisionerSupply, so the API server warns of no job that nobody can run."
        remedy = "Let the operator run with PROVISIONER_OPERATOR_PUBLISH_SUPPLIES=true, as manifests/components/match-warnings has it."
        return Finding("warnings", Level.WARNING, message, remedy)
    incomplete = [f"{namespace} ({' and '.join(parts)})" for namespace, parts in sorted(omitted.items()) if parts]
    if incomplete:
        message = (
            f"These ProvisionerSupplies omit what is too large, so nothing is compared with it: {_some(incomplete)}."
        )
        return Finding("warnings", Level.WARNING, message, "Use fewer different sets of tags, or fewer templates.")
    count = counted(len(omitted), "namespace")
    return Finding("warnings", Level.OK, f"The API server warns of jobs that nobody can run, in {count}.")


def leftovers(things: str, short: str, names: Sequence[str]) -> Finding:
    """Check that no objects of a kind are left, by namespace and name, before the operator goes."""
    if names:
        message = f"{_some(sorted(names))}. Without the operator nothing removes their finalizers."
        return Finding(
            things, Level.ERROR, message, f"Delete them first: kubectl delete {short} --all --all-namespaces"
        )
    return Finding(things, Level.OK, "None is left.")


def without_lease(jobs: Iterable[Job], now: float, namespace: str) -> Finding:
    """Check by the jobs that a controller works where there is no Lease: one without election writes none."""
    lease = f"Namespace {namespace} has no Lease of the operator"
    unseen = sorted(job.name for job in jobs if _is_unseen(job, now))
    if unseen:
        message = f"No controller works: {lease}, and these jobs have waited without a reason: {_some(unseen)}."
        remedy = f"Check kubectl -n {namespace} get pods, and the logs of deployment/provisioner-operator."
        return Finding("operator", Level.ERROR, message, remedy)
    message = f"{lease}: it runs without election there (without --lease-namespace), or not at all."
    remedy = (
        "If it runs elsewhere, name that namespace with --operator-namespace. Its /readyz reports whether it works."
    )
    return Finding("operator", Level.WARNING, message, remedy)


def _is_unseen(job: Job, now: float) -> bool:
    """Return whether a controller would have assigned or explained the job by now."""
    is_waiting = job.phase is Phase.PENDING and job.assignment is None and job.reason is None
    return is_waiting and now - job.created > EXPLAINED_WITHIN_SECONDS


def leader(lease: Lease, now: float, namespace: str) -> Finding:
    """Check that a controller leads, by the operator's Lease; `now` by the server's clock."""
    remedy = f"Check kubectl -n {namespace} get pods, and the logs of deployment/provisioner-operator."
    if not lease.holder or not lease.renewed:
        return Finding("operator", Level.ERROR, "No controller leads: the Lease has no holder.", remedy)
    age = now - datetime.fromisoformat(lease.renewed).timestamp()
    # The holder writes the time by its own clock, which may differ a little.
    if age > lease.seconds + TOLERATED_SKEW_SECONDS:
        message = f"No controller leads: {lease.holder} last renewed its Lease {duration(age)} ago."
        return Finding("operator", Level.ERROR, message, remedy)
    return Finding("operator", Level.OK, f"{lease.holder} leads; it renewed its Lease {duration(age)} ago.")


def own_clock(skew: float) -> Finding:
    """Check that the local clock agrees with the API server's."""
    if abs(skew) > TOLERATED_SKEW_SECONDS:
        direction = "behind" if skew > 0 else "ahead of"
        message = f"This machine's clock is {duration(abs(skew))} {direction} the API server's."
        remedy = "Synchronize it (NTP). Until then, ages are still computed from the API server's clock."
        return Finding("clock", Level.WARNING, message, remedy)
    return Finding("clock", Level.OK, "This machine's clock agrees with the API server's.")


def daemon_clocks(daemons: Iterable[DaemonReport], now: float) -> Finding:
    """Check that no daemon's clock is ahead, so that its heartbeats carry future times."""
    ahead = []
    for daemon in daemons:
        if not daemon.heartbeat:
            continue
        skew = datetime.fromisoformat(daemon.heartbeat).timestamp() - now
        if skew > TOLERATED_SKEW_SECONDS:
            ahead.append(f"{daemon.meta.name} by {duration(skew)}")
    if ahead:
        message = f"Clocks of daemons are ahead of the API server's: {', '.join(ahead)}."
        return Finding("daemon clocks", Level.WARNING, message, "Synchronize them (NTP).")
    return Finding("daemon clocks", Level.OK, "No daemon's clock is ahead of the API server's.")


def versions(daemons: Iterable[DaemonReport], own: str) -> Finding:
    """Check that the daemons have the version of this program."""
    others: dict[str, list[str]] = {}
    for daemon in daemons:
        if daemon.version and daemon.version != own:
            others.setdefault(daemon.version, []).append(daemon.meta.name)
    if others:
        listed = "; ".join(f"{version}: {', '.join(names)}" for version, names in sorted(others.items()))
        message = f"These daemons are of another version than {own}: {listed}."
        remedy = "Update daemons that an admin registered; pools roll out the operator's own image automatically."
        return Finding("daemon versions", Level.WARNING, message, remedy)
    return Finding("daemon versions", Level.OK, f"All daemons that report a version have {own}.")


def fleet(snapshot: Snapshot, failures: Mapping[str, int]) -> Finding:
    """Check that daemons are online and complete jobs; `failures` are consecutive, by the daemon's uid."""
    total = counted(len(snapshot.daemons), "daemon")
    online = [daemon for daemon in snapshot.daemons if snapshot.is_online(daemon)]
    if not snapshot.daemons:
        remedy = 'Create a pool or start a daemon, as the documentation describes under "Run daemons".'
        return Finding("daemons", Level.WARNING, "There is no daemon.", remedy)
    if not online:
        remedy = "`daemons list` shows when each was last seen."
        return Finding("daemons", Level.ERROR, f"None of {total} is online.", remedy)
    failing = [daemon.name for daemon in snapshot.daemons if failures.get(daemon.uid, 0) >= MANY_FAILURES]
    if failing:
        message = f"{len(online)} of {total} online; repeated failures on: {', '.join(failing)}."
        remedy = "Cordon them (`daemons cordon`), and find the cause in their last jobs (`daemons show`)."
        return Finding("daemons", Level.WARNING, message, remedy)
    return Finding("daemons", Level.OK, f"{len(online)} of {total} online.")


def stuck(snapshot: Snapshot) -> Finding:
    """Check that no job is stuck."""
    total = counted(len(snapshot.jobs), "unfinished job")
    names = sorted(job.name for job in snapshot.jobs.values() if snapshot.is_stuck(job))
    if names:
        message = f"{len(names)} of {total} stuck: {_some(names)}."
        return Finding(
            "queue", Level.WARNING, message, "List them with `jobs list -s stuck`; `jobs why JOB` explains one."
        )
    return Finding("queue", Level.OK, f"{total}, none stuck.")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def rights(allowed: Mapping[str, bool], roles: Mapping[str, str], where: str) -> Finding:
    """Report the user's permissions and, for missing ones, the roles that have them; lacking some is no error."""
    may = [name for name, is_allowed in allowed.items() if is_allowed]
    may_not = [name for name, is_allowed in allowed.items() if not is_allowed]
    can = f"You may {', '.join(may)} {where}." if may else f"You have no permissions {where}."
    if not may_not:
        return Finding("rights", Level.OK, can)
    needed = sorted({roles[name] for name in may_not})
    message = f"{can} You may not: {', '.join(may_not)}."
    remedy = f"If you need to, ask an admin to bind you to the ClusterRole {' or '.join(needed)}."
    return Finding("rights", Level.OK if may else Level.WARNING, message, remedy)
