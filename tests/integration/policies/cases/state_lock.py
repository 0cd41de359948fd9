"""Locks of states, and other Leases of users who may release such locks."""

from typing import Any

from integration.policies.cases.case import Case, Request, delete, patch
from integration.policies.cases.objects import RUNS_LOCK

_MISSING = 'may not release leases "lock-tfstate-default-run-ws", the lock of a state that a run of a job holds: the verb "cancel"'
_ONLY_RELEASES = 'without the verb "update" on leases, one can only release locks of Terraform\'s states'
_LABELED: dict[str, Any] = {"metadata": {"labels": {"changed": "yes"}}}


def _case(title: str, who: str, request: Request, says: str | None = None) -> Case:
    return Case("state-lock", title, who, request, refused=says)


def _release(name: str = RUNS_LOCK, **metadata: Any) -> Request:
    return patch("lease", name, {"spec": {"holderIdentity": None}, "metadata": metadata})


CASES = (
    _case("an admin releases a run's lock", "namespace-admin", _release()),
    _case("an admin labels another Lease", "namespace-admin", patch("lease", "leader", _LABELED)),
    _case("the controller releases a run's lock", "controller", _release(), _MISSING),
    _case("the controller deletes a run's lock", "controller", delete("lease", RUNS_LOCK), _MISSING),
    _case(
        "the controller takes a run's lock",
        "controller",
        patch("lease", RUNS_LOCK, {"spec": {"holderIdentity": "its own"}}),
        _MISSING,
    ),
    _case("the controller labels a run's lock", "controller", patch("lease", RUNS_LOCK, _LABELED)),
    _case("the controller releases a lock of others", "controller", _release("lock-tfstate-default-hand-ws")),
    _case("the controller releases what is no lock", "controller", _release("elected")),
    _case("a robot releases a run's lock", "system:serviceaccount:elsewhere:robot", _release(), _MISSING),
    _case("the cluster releases a run's lock", "system:serviceaccount:kube-system:collector", _release()),
    _case("a daemon releases a run's lock", "POD-mine", _release()),
    _case("a canceler releases a run's lock", "canceler", _release(annotations={"backup": None})),
    _case("a canceler releases what is no lock", "canceler", _release("elected"), _ONLY_RELEASES),
    _case(
        "a canceler takes a lock",
        "canceler",
        patch("lease", RUNS_LOCK, {"spec": {"holderIdentity": "canceler"}}),
        _ONLY_RELEASES,
    ),
    _case("a canceler labels a lock", "canceler", _release(labels={"team": "x"}), _ONLY_RELEASES),
    _case("a canceler annotates a lock", "canceler", _release(annotations={"team": "x"}), _ONLY_RELEASES),
    _case("a canceler deletes a lock", "canceler", delete("lease", RUNS_LOCK), _ONLY_RELEASES),
    _case("somebody with rights of others labels a Lease", "elector", patch("lease", "leader", _LABELED)),
)
