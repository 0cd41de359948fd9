"""What `doctor` makes of what it sees."""

from typing import Any

from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.cli.doctor import checks
from provisioner_operator.cli.doctor.checks import STAMPING, VALIDATING, Level

NOON = 1_800_000_000.0


def a_lease(renewed: str | None, holder: str | None = "pod-a") -> dict[str, Any]:
    return {"spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 15}}


def a_daemon(name: str, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": status}


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


def test_a_policy_that_is_not_bound_is_not_in_force() -> None:
    assert checks.policies(VALIDATING, VALIDATING).level is Level.OK
    found = checks.policies(VALIDATING, VALIDATING[1:])
    assert found.level is Level.ERROR
    assert VALIDATING[0] in found.message


def test_stamping_is_recommended() -> None:
    assert checks.stamping(STAMPING).level is Level.OK
    assert checks.stamping([]).level is Level.WARNING
    assert "1.36" in checks.stamping(None).message


def test_a_lease_that_is_renewed_has_a_leader() -> None:
    assert checks.leader(a_lease("2027-01-15T07:59:57.000000Z"), NOON, "ns").level is Level.OK


def test_a_lease_that_is_free_stale_or_not_there_has_none() -> None:
    for lease in (None, a_lease(None), a_lease("2027-01-15T07:59:57Z", None), a_lease("2027-01-15T07:50:00Z")):
        found = checks.leader(lease, NOON, "ns")
        assert found.level is Level.ERROR
        assert "-n ns get pods" in found.remedy


def test_clocks_that_differ_are_told() -> None:
    assert checks.own_clock(1).level is Level.OK
    assert "1m30s behind" in checks.own_clock(90).message
    assert "ahead of" in checks.own_clock(-90).message
    ahead = [
        a_daemon("d1", lastHeartbeatTime="2027-01-15T08:01:00Z"),
        a_daemon("d2", lastHeartbeatTime="2027-01-15T08:00:00Z"),
    ]
    assert checks.daemon_clocks(ahead, NOON).message.endswith("d1 by 1m.")


def test_daemons_of_another_version_are_told() -> None:
    assert checks.versions([a_daemon("d1", version="1"), a_daemon("d2")], "1").level is Level.OK
    assert "0.9: d3" in checks.versions([a_daemon("d3", version="0.9")], "1").message


def test_rights_that_are_missing_are_told_with_the_role_that_has_them() -> None:
    found = checks.rights({"see": True, "cancel": False}, {"see": "viewer", "cancel": "admin"}, "here")
    assert found.level is Level.OK
    assert "You may see here. You may not: cancel." in found.message
    assert "admin" in found.remedy
