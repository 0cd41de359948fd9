"""Check the observed versions of each job against the transition table: only legal steps, and nothing that goes back.

The API server's rules refuse most of it too. This holds them, the controller and the daemons against the table of `core`,
in every test, whatever the test is about.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL, TRANSITIONS
from support.cluster.watching import Version, Watch
from support.manifests import Manifest

_NEVER_LESS = (("metadata", "generation"), ("status", "observedGeneration"), ("status", "suspendedSeconds"))
_ONCE_STARTED = ("assignment", "startedAt")
"""Fields of the status that are final once the job is no longer pending."""
_ONCE_ENDED = ("reason", "finishedAt")
"""Fields that are final once it has ended."""


def require_legal_histories(jobs: Watch) -> None:
    """Fail unless what the watch saw of each job is a path of the transition table."""
    faults = {
        f"{name} ({uid})": found for (name, uid), versions in jobs.histories().items() if (found := faults_of(versions))
    }
    assert not faults, f"illegal histories of jobs: {faults}"


def faults_of(versions: Sequence[Version]) -> list[str]:
    """Describe all faults of a job's versions, which are in the order of their observation."""
    alone = [fault for each in versions for fault in _faults_of_one(each.body)]
    steps = [fault for before, after in pairwise(versions) for fault in _faults_of_step(before, after)]
    return [*alone, *steps]


def _faults_of_one(body: Manifest) -> Iterator[str]:
    phase = _phase(body)
    for field in _ONCE_STARTED:
        if phase in STARTED | {Phase.COMPLETED} and _status(body, field) is None:
            yield f"{phase} without {field}"
    if (_status(body, "finishedAt") is None) is (phase in TERMINAL):
        yield f"{phase} {'without' if phase in TERMINAL else 'with'} finishedAt"


def _faults_of_step(earlier: Version, later: Version) -> Iterator[str]:
    before, after = earlier.body, later.body
    former, phase = _phase(before), _phase(after)
    is_next = earlier.watch == later.watch
    if int(after["metadata"]["resourceVersion"]) <= int(before["metadata"]["resourceVersion"]):
        yield "an earlier version after a later one"
    if phase not in {former} | (TRANSITIONS[former] if is_next else _reachable(former)):
        yield f"{former} became {phase}"
    final = (*(_ONCE_STARTED if former is not Phase.PENDING else ()), *(_ONCE_ENDED if former in TERMINAL else ()))
    for field in final:
        if _status(before, field) != _status(after, field):
            yield f"{field} of a job that is {former} changed to {_status(after, field)}"
    if is_next and former is Phase.PENDING:
        yield from _faults_of_start(before, after)
    for part, field in _NEVER_LESS:
        if after.get(part, {}).get(field, 0) < before.get(part, {}).get(field, 0):
            yield f"{part}.{field} decreased"
    if before["spec"].get("cancel") and not after["spec"].get("cancel"):
        yield "the cancel was withdrawn"


def _faults_of_start(before: Manifest, after: Manifest) -> Iterator[str]:
    """Describe the faults of a step of a pending job, of which no version in between was missed."""
    phase = _phase(after)
    if phase in TERMINAL and _status(after, "startedAt") is not None:
        yield f"Pending became {phase} with startedAt, although it never ran"
    if phase is Phase.RUNNING and _assigned(before) != _assigned(after):
        yield "it started by another assignment than it had"


def _reachable(phase: Phase) -> frozenset[Phase]:
    """Return all phases that may follow at any time, for versions between which others may be missing."""
    return TRANSITIONS[phase].union(*(_reachable(each) for each in TRANSITIONS[phase]))


def _assigned(body: Manifest) -> Manifest:
    """Return the assignment as the controller made it."""
    return {key: value for key, value in (_status(body, "assignment") or {}).items() if key != "instance"}


def _phase(body: Manifest) -> Phase:
    return Phase(body.get("status", {}).get("phase", Phase.PENDING))


def _status(body: Manifest, field: str) -> Manifest | None:
    found: Manifest | None = body.get("status", {}).get(field)
    return found
