"""What `doctor` finds, from what was read: pure judgements, each with its remedy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from provisioner_operator.cli.daemons.table import MANY_FAILURES
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.output.times import duration
from provisioner_operator.core.leadership import LEASE_SECONDS
from provisioner_operator.core.views.snapshot import Snapshot

Body = Mapping[str, Any]

TOLERATED_SKEW_SECONDS = 5.0
"""Clocks that differ by more make times in lists hard to believe; deadlines of runs are judged with care, but judged."""

VALIDATING = (
    "cancel.provisioner.dev",
    "daemon-logs.provisioner.dev",
    "daemon-state.provisioner.dev",
    "daemon.provisioner.dev",
    "identity.provisioner.dev",
)
STAMPING = ("stamp-canceller.provisioner.dev", "stamp-initiator.provisioner.dev")
"""The policies that the manifests install."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    """It may not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    level: Level
    message: str
    remedy: str = ""


def kinds(installed: Iterable[str], wanted: Sequence[str]) -> Finding:
    """Whether all kinds are there, by their plurals."""
    missing = [plural for plural in wanted if plural not in set(installed)]
    if missing:
        remedy = "Install them: kubectl apply --server-side -k manifests/default"
        return Finding("kinds", Level.ERROR, f"Not installed: {', '.join(missing)}.", remedy)
    return Finding("kinds", Level.OK, f"Installed: {', '.join(wanted)}.")


def definitions(found: Mapping[str, Body], wanted: Mapping[str, Body]) -> Finding:
    """Whether the definitions in the cluster are those that this version generates, by plural."""
    differing = [
        plural for plural, definition in wanted.items() if plural in found and _gist(found[plural]) != _gist(definition)
    ]
    if differing:
        message = f"The definitions of {', '.join(differing)} are of another version than this program."
        return Finding(
            "definitions",
            Level.WARNING,
            message,
            "Apply the manifests of this version, or install this program in the other.",
        )
    return Finding("definitions", Level.OK, "The definitions are those of this version.")


def _gist(definition: Body) -> object:
    version = definition["spec"]["versions"][0]
    return version["schema"], version.get("additionalPrinterColumns"), version.get("selectableFields")


def policies(validating: Iterable[str], bound: Iterable[str]) -> Finding:
    """Whether all policies that guard the API are there and bound, by name."""
    there, in_force = set(validating), set(bound)
    missing = [name for name in VALIDATING if name not in there or name not in in_force]
    if missing:
        message = f"Not in force: {', '.join(missing)}: whoever may write a job may do what these forbid."
        return Finding("policies", Level.ERROR, message, "Apply them: kubectl apply --server-side -k manifests/default")
    return Finding("policies", Level.OK, f"In force: {', '.join(VALIDATING)}.")


def stamping(mutating: Iterable[str] | None) -> Finding:
    """Whether the API server records who asked and who canceled; None if it knows no such policies."""
    if mutating is None:
        message = "This API server cannot record who submits and cancels (Kubernetes 1.36 can)."
        return Finding(
            "stamping", Level.WARNING, message, "Upgrade the cluster, then add manifests/components/stamping."
        )
    there = set(mutating)
    if not set(STAMPING) <= there:
        message = "Who submits and cancels is not recorded unless they say so themselves."
        return Finding("stamping", Level.WARNING, message, "Add manifests/components/stamping to your kustomization.")
    return Finding("stamping", Level.OK, "The API server records who submits and who cancels.")


def leader(lease: Body | None, now: float, namespace: str) -> Finding:
    """Whether a controller leads, by the Lease; `now` by the server's clock."""
    remedy = f"See kubectl -n {namespace} get pods, and the logs of deployment/provisioner-operator."
    if lease is None:
        message = f"There is no Lease of the operator in namespace {namespace}: it never led."
        return Finding("operator", Level.ERROR, message, remedy)
    spec = lease.get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    if not holder or not renewed:
        return Finding("operator", Level.ERROR, "No controller leads: the Lease is free.", remedy)
    silent = now - datetime.fromisoformat(renewed).timestamp()
    # The holder writes by its own clock, which may be a little off.
    if silent > float(spec.get("leaseDurationSeconds") or LEASE_SECONDS) + TOLERATED_SKEW_SECONDS:
        message = f"No controller leads: {holder} renewed its Lease {duration(silent)} ago."
        return Finding("operator", Level.ERROR, message, remedy)
    return Finding("operator", Level.OK, f"{holder} leads; it renewed its Lease {duration(silent)} ago.")


def own_clock(skew: float) -> Finding:
    """Whether this machine's clock goes with the API server's."""
    if abs(skew) > TOLERATED_SKEW_SECONDS:
        which = "behind" if skew > 0 else "ahead of"
        message = f"This machine's clock is {duration(abs(skew))} {which} the API server's."
        return Finding(
            "clock", Level.WARNING, message, "Synchronise it (NTP). Ages are shown by the API server's clock."
        )
    return Finding("clock", Level.OK, "This machine's clock goes with the API server's.")


def daemon_clocks(daemons: Iterable[Body], now: float) -> Finding:
    """Whether any daemon's clock is ahead: its heartbeats come from the future."""
    ahead = []
    for body in daemons:
        at = (body.get("status") or {}).get("lastHeartbeatTime")
        if at and (skew := datetime.fromisoformat(at).timestamp() - now) > TOLERATED_SKEW_SECONDS:
            ahead.append(f"{body['metadata']['name']} by {duration(skew)}")
    if ahead:
        message = f"Clocks of daemons are ahead of the API server's: {', '.join(ahead)}."
        return Finding("daemon clocks", Level.WARNING, message, "Synchronise them (NTP).")
    return Finding("daemon clocks", Level.OK, "No daemon reports from the future.")


def versions(daemons: Iterable[Body], own: str) -> Finding:
    """Whether the daemons are of this program's version."""
    other: dict[str, list[str]] = {}
    for body in daemons:
        version = (body.get("status") or {}).get("version")
        if version and version != own:
            other.setdefault(version, []).append(body["metadata"]["name"])
    if other:
        listed = "; ".join(f"{version}: {', '.join(names)}" for version, names in sorted(other.items()))
        message = f"Daemons of another version than {own}: {listed}."
        return Finding(
            "daemon versions", Level.WARNING, message, "Pools roll out the operator's own image; update the others."
        )
    return Finding("daemon versions", Level.OK, f"All daemons that report are of version {own}.")


def fleet(scene: Snapshot, failures: Mapping[str, int]) -> Finding:
    """Whether there is anybody to run jobs, and whether they do; `failures` in a row by the daemon's uid."""
    online = [daemon for daemon in scene.daemons if scene.is_online(daemon)]
    if not scene.daemons:
        return Finding(
            "daemons", Level.WARNING, "There is no daemon.", "Make a pool, or start a daemon: README, Run daemons."
        )
    if not online:
        message = f"None of {counted(len(scene.daemons), 'daemon')} is online."
        return Finding("daemons", Level.ERROR, message, "`daemons list` tells when each was last seen.")
    failing = [daemon.name for daemon in scene.daemons if failures.get(daemon.uid, 0) >= MANY_FAILURES]
    if failing:
        message = f"Online: {len(online)} of {counted(len(scene.daemons), 'daemon')}; failing again and again: {', '.join(failing)}."
        return Finding(
            "daemons", Level.WARNING, message, "`daemons show` tells their last jobs; cordon them meanwhile."
        )
    return Finding("daemons", Level.OK, f"Online: {len(online)} of {counted(len(scene.daemons), 'daemon')}.")


def stuck(scene: Snapshot) -> Finding:
    """Whether jobs wait for somebody to do something."""
    names = sorted(job.name for job in scene.jobs.values() if scene.is_stuck(job))
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
        message = f"Stuck: {shown} ({len(names)} of {counted(len(scene.jobs), 'live job')})."
        return Finding("queue", Level.WARNING, message, "`jobs list -s stuck`, then `jobs why JOB`.")
    return Finding("queue", Level.OK, f"Pending or running: {counted(len(scene.jobs), 'job')}; none is stuck.")


def rights(allowed: Mapping[str, bool], roles: Mapping[str, str], where: str) -> Finding:
    """What the caller may do, by what it is called; it is no error not to be an admin."""
    may = [name for name, is_allowed in allowed.items() if is_allowed]
    may_not = [name for name, is_allowed in allowed.items() if not is_allowed]
    can = f"You may {', '.join(may)} {where}." if may else f"You may do nothing here {where}."
    if not may_not:
        return Finding("rights", Level.OK, can)
    needed = sorted({roles[name] for name in may_not})
    message = f"{can} You may not: {', '.join(may_not)}."
    remedy = f"Ask an admin for a binding to the ClusterRole {' or '.join(needed)}, if you need to."
    return Finding("rights", Level.OK if may else Level.WARNING, message, remedy)
