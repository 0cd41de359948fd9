"""Before the operator goes, nothing may be left that only it can release."""

from provisioner_operator.cli.doctor.checks import Finding, Level
from provisioner_operator.cli.doctor.uninstall import leftovers
from provisioner_operator.cli.errors import ForbiddenError, NotFoundError
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body


def found_among(bodies: dict[str, list[Body]], error: Exception | None = None) -> dict[str, Finding]:
    def read(path: str) -> list[Body]:
        if error and path not in bodies:
            raise error
        return bodies.get(path, [])

    return {each.check: each for each in leftovers(read)}


def test_what_is_left_is_named_in_the_order_of_its_deletion() -> None:
    found = found_among({paths.pools(None): [{"metadata": {"name": "small", "namespace": "team"}}]})

    assert list(found) == ["workspaces", "templates", "pools", "daemons"]
    assert [each.level for each in found.values()] == [Level.OK, Level.OK, Level.ERROR, Level.OK]
    assert found["pools"].message.startswith("team/small. ")
    assert found["pools"].remedy.endswith("kubectl delete pp --all --all-namespaces")


def test_a_kind_that_is_not_installed_has_no_objects() -> None:
    assert {each.level for each in found_among({}, NotFoundError("no such kind")).values()} == {Level.OK}


def test_what_may_not_be_read_may_be_there() -> None:
    found = found_among({paths.pools(None): []}, ForbiddenError("You may not."))

    assert [each.level for each in found.values()] == [Level.ERROR, Level.ERROR, Level.OK, Level.ERROR]
    assert found["workspaces"].message == "Not checked: You may not."
