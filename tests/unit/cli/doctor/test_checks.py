"""Findings of `doctor`, each with its remedy."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.cli.doctor import checks
from provisioner_operator.cli.doctor.checks import STAMPING, VALIDATING, Level
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.leadership import Lease
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.object_states import daemon_report
from support.builders.core import NOON, a_daemon, a_job
from support.manifests import MANIFESTS

POLICIES = MANIFESTS / "policies"
POLICY_KINDS = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")


def a_lease(renewed: str | None, holder: str | None = "pod-a") -> Lease:
    return Lease(version=1, holder=holder, renewed=renewed, seconds=15)


def a_report(name: str, **status: Any) -> DaemonReport:
    return daemon_report({"metadata": {"name": name}, "status": status})


def a_fleet(*daemons: Daemon, jobs: tuple[Job, ...] = ()) -> Snapshot:
    return Snapshot(jobs, [replace(each, heartbeat="2027-01-15T08:00:00Z") for each in daemons], now=NOON)


def test_a_missing_kind_is_an_error_with_its_remedy() -> None:
    found = checks.kinds(["provisionerjobs"], ["provisionerjobs", "provisionerdaemons"])
    assert found.level is Level.ERROR
    assert "provisionerdaemons" in found.message
    assert "kubectl apply" in found.remedy


def test_definitions_are_compared_with_this_versions() -> None:
    own = {kind.plural: kind.definition() for kind in KINDS}
    assert checks.definitions(own, own).level is Level.OK
    other: dict[str, Any] = {plural: {"spec": {"versions": [{"schema": {}}]}} for plural in own}
    assert checks.definitions(other, own).level is Level.WARNING


def test_a_policy_that_is_not_bound_is_not_active() -> None:
    assert checks.policies(VALIDATING, VALIDATING).level is Level.OK
    found = checks.policies(VALIDATING, VALIDATING[1:])
    assert found.level is Level.ERROR
    assert VALIDATING[0] in found.message


def test_a_supply_that_omits_something_is_named_and_so_is_the_lack_of_any() -> None:
    assert checks.warnings({"acme": [], "sales": []}).level is Level.OK
    found = checks.warnings({"acme": ["Supplies", "Templates"], "sales": []})
    assert found.level is Level.WARNING
    assert "acme (Supplies and Templates)" in found.message
    assert "sales" not in found.message
    none = checks.warnings({})
    assert none.level is Level.WARNING
    assert "PROVISIONER_OPERATOR_PUBLISH_SUPPLIES" in none.remedy


def test_every_policy_of_the_manifests_is_looked_for() -> None:
    documents = [each for path in POLICIES.rglob("*.yaml") for each in yaml.safe_load_all(path.read_text())]
    names = {kind: {each["metadata"]["name"] for each in documents if each["kind"] == kind} for kind in POLICY_KINDS}
    assert names == dict(zip(POLICY_KINDS, (set(VALIDATING), set(STAMPING)), strict=True))


def test_stamping_is_recommended() -> None:
    assert checks.stamping(STAMPING).level is Level.OK
    assert "are recorded only if" in checks.stamping([]).message
    assert "1.36" in checks.stamping(None).message


FORMER = ["stamp-canceler.provisioner.dev", "stamp-initiator.provisioner.dev"]
OWNERS = "stamp-workspace.provisioner.dev"


@pytest.mark.parametrize(
    ("mutating", "level", "says"),
    [
        ([*FORMER, OWNERS], Level.OK, "records who"),
        ([FORMER[0], OWNERS], Level.WARNING, "recorded only if"),
        ([each for each in STAMPING if each != OWNERS], Level.WARNING, "recorded only if"),
        ([*STAMPING, *FORMER], Level.WARNING, "of a former version only cost time: " + ", ".join(FORMER)),
        (["stamp-job.provisioner.dev", OWNERS], Level.WARNING, "untracked-daemon.provisioner.dev is missing"),
    ],
    ids=["former version", "half of it", "no owners", "both versions", "tracked daemons"],
)
def test_what_stamps_is_judged_by_what_it_does(mutating: list[str], level: Level, says: str) -> None:
    found = checks.stamping(mutating)
    assert (found.level, says in found.message) == (level, True), found.message


def test_a_lease_that_is_renewed_has_a_leader() -> None:
    assert checks.leader(a_lease("2027-01-15T07:59:57.000000Z"), NOON, "ns").level is Level.OK


def test_an_operator_without_election_is_judged_by_the_jobs() -> None:
    explained, fresh = a_job("explained", reason="NoMatchingDaemon"), a_job("fresh")
    found = checks.without_lease([explained, fresh], NOON + 59, "ns")
    assert found.level is Level.WARNING
    assert "without election" in found.message
    found = checks.without_lease([explained, a_job("unseen")], NOON + 61, "ns")
    assert found.level is Level.ERROR
    assert found.message.endswith("these jobs have waited without a reason: unseen.")
    assert "-n ns get pods" in found.remedy


def test_a_lease_that_is_free_or_stale_has_none() -> None:
    for lease in (a_lease(None), a_lease("2027-01-15T07:59:57Z", None), a_lease("2027-01-15T07:50:00Z")):
        found = checks.leader(lease, NOON, "ns")
        assert found.level is Level.ERROR
        assert "-n ns get pods" in found.remedy


def test_clocks_that_differ_are_reported() -> None:
    assert checks.own_clock(1).level is Level.OK
    assert "1m30s behind" in checks.own_clock(90).message
    assert "ahead of" in checks.own_clock(-90).message
    ahead = [
        a_report("d1", lastHeartbeatTime="2027-01-15T08:01:00Z"),
        a_report("d2", lastHeartbeatTime="2027-01-15T08:00:00Z"),
    ]
    assert checks.daemon_clocks(ahead, NOON).message.endswith("d1 by 1m.")


def test_daemons_of_another_version_are_reported() -> None:
    assert checks.versions([a_report("d1", version="1"), a_report("d2")], "1").level is Level.OK
    assert "0.9: d3" in checks.versions([a_report("d3", version="0.9")], "1").message


def test_missing_permissions_are_reported_with_the_role_that_has_them() -> None:
    found = checks.rights({"see": True, "cancel": False}, {"see": "viewer", "cancel": "admin"}, "here")
    assert found.level is Level.OK
    assert "You may see here. You may not: cancel." in found.message
    assert "admin" in found.remedy


def test_a_user_without_any_permission_is_warned() -> None:
    found = checks.rights({"see": False}, {"see": "viewer"}, "here")
    assert (found.level, found.message) == (Level.WARNING, "You have no permissions here. You may not: see.")


@pytest.mark.parametrize(
    ("daemons", "failures", "level", "message"),
    [
        ((), 0, Level.WARNING, "There is no daemon."),
        ((a_daemon("d1", state=DaemonState.OFFLINE),), 0, Level.ERROR, "None of 1 daemon is online."),
        ((a_daemon("d1"),), 3, Level.WARNING, "1 of 1 daemon online; repeated failures on: d1."),
        ((a_daemon("d1"), a_daemon("d2", state=DaemonState.OFFLINE)), 2, Level.OK, "1 of 2 daemons online."),
    ],
)
def test_daemons_should_be_online_and_complete_jobs(
    daemons: tuple[Daemon, ...], failures: int, level: Level, message: str
) -> None:
    found = checks.fleet(a_fleet(*daemons), {"uid-of-d1": failures})
    assert (found.level, found.message) == (level, message)


def test_stuck_jobs_are_named_up_to_three() -> None:
    jobs = tuple(a_job(f"job-{number}", tags={"a": "1"}) for number in range(1, 6))
    found = checks.stuck(a_fleet(jobs=jobs))
    assert (found.level, found.message) == (
        Level.WARNING,
        "5 of 5 unfinished jobs stuck: job-1, job-2, job-3 and 2 more.",
    )
    assert checks.stuck(a_fleet(jobs=jobs[:1])).message == "1 of 1 unfinished job stuck: job-1."
    assert checks.stuck(a_fleet(a_daemon(), jobs=(a_job(),))).message == "1 unfinished job, none stuck."


def test_what_would_be_left_without_the_operator_is_an_error_with_its_remedy() -> None:
    names = [f"team/{each}" for each in "dcba"]
    found = checks.leftovers("pools", "pp", names)
    assert found.level is Level.ERROR
    assert found.message.startswith("team/a, team/b, team/c and 1 more. ")
    assert "kubectl delete pp --all --all-namespaces" in found.remedy
    assert checks.leftovers("pools", "pp", []).level is Level.OK
