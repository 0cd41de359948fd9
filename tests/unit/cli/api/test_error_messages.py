"""Refusals by the API server, in words and exit codes."""

import pytest

from provisioner_operator.cli.api.error_messages import refusal, role_with
from provisioner_operator.cli.errors import AlreadyExistsError, ChangedError, Exit

JOBS = "/apis/provisioner.dev/v1alpha1/namespaces/acme/provisionerjobs"


def forbidden(verb: str, resource: str = "provisionerjobs", group: str = "provisioner.dev") -> str:
    return (
        f'x is forbidden: User "ann" cannot {verb} resource "{resource}" in API group "{group}" in the namespace "acme"'
    )


@pytest.mark.parametrize(
    ("verb", "role"),
    [("list", "provisioner-viewer"), ("create", "provisioner-submitter"), ("delete", "provisioner-admin")],
)
def test_a_missing_permission_is_named_with_the_role_that_has_it(verb: str, role: str) -> None:
    error = refusal(403, {"message": forbidden(verb)}, JOBS)
    assert error.code is Exit.FORBIDDEN
    assert str(error) == (
        f"User 'ann' may not {verb} provisionerjobs in namespace acme: ask an admin of the namespace to bind you to the"
        f" ClusterRole {role}."
    )


def test_a_missing_permission_on_the_cluster_names_no_role_of_ours() -> None:
    message = 'User "ann" cannot create resource "namespaces" in API group "" at the cluster scope'
    error = refusal(403, {"message": message}, "/api/v1/namespaces")
    assert (
        str(error)
        == "User 'ann' may not create namespaces in all namespaces: ask an admin of the cluster for a role with that permission."
    )


def test_changing_daemons_takes_an_admin() -> None:
    assert role_with("patch", "provisionerdaemons") == "provisioner-admin"


def test_a_policys_words_stand_alone() -> None:
    message = (
        "provisionerjobs.provisioner.dev \"job\" is forbidden: ValidatingAdmissionPolicy 'cancel.provisioner.dev' with binding"
        " 'cancel.provisioner.dev' denied request: user \"ann\" may not cancel"
    )
    error = refusal(403, {"message": message}, JOBS)
    assert (str(error), error.code) == ('User "ann" may not cancel', Exit.FORBIDDEN)


def test_an_object_that_does_not_exist_is_named() -> None:
    status = {"message": "not found", "details": {"name": "dev-7", "kind": "provisionerjobs"}}
    error = refusal(404, status, f"{JOBS}/dev-7")
    assert (str(error), error.code) == ("There is no job 'dev-7' in namespace acme.", Exit.NOT_FOUND)


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/dev-7", "/apis/provisioner.dev/v1alpha1/provisionerjobs"])
def test_a_kind_that_is_not_installed_is_reported_with_what_to_do(path: str) -> None:
    error = refusal(404, {}, path)
    assert error.code is Exit.NOT_FOUND
    assert "The kind provisionerjobs.provisioner.dev is not installed in this cluster" in str(error)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (401, Exit.USAGE),
        (409, Exit.PRECONDITION),
        (422, Exit.PRECONDITION),
        (429, Exit.FAILED),
        (503, Exit.FAILED),
        (400, Exit.FAILED),
    ],
)
def test_other_refusals_have_their_codes(code: int, exit_code: Exit) -> None:
    assert refusal(code, {"message": "no"}, JOBS).code is exit_code


@pytest.mark.parametrize(
    ("code", "status", "changed"),
    [
        (409, {"reason": "Conflict", "message": "the object has been modified"}, True),
        (422, {"reason": "Invalid", "message": "testing value /status/phase failed"}, True),
        (422, {"reason": "Invalid", "message": "bad", "details": {"causes": [{"field": "spec.tags"}]}}, False),
        (422, {"message": "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no"}, False),
        (409, {"reason": "AlreadyExists", "message": "exists"}, False),
    ],
)
def test_only_an_object_that_changed_is_worth_reading_again(
    code: int, status: dict[str, object], *, changed: bool
) -> None:
    error = refusal(code, status, JOBS)
    assert isinstance(error, ChangedError) is changed
    assert error.code is Exit.PRECONDITION


def test_a_name_that_is_taken_has_its_own_error() -> None:
    assert isinstance(refusal(409, {"reason": "AlreadyExists"}, JOBS), AlreadyExistsError)


@pytest.mark.parametrize(("verb", "resource"), [("get", "secrets"), ("patch", "secrets"), ("create", "leases")])
def test_a_missing_right_on_states_names_the_builtin_role_that_has_it(verb: str, resource: str) -> None:
    group = "coordination.k8s.io" if resource == "leases" else ""
    message = f'{resource} is forbidden: User "joe" cannot {verb} resource "{resource}" in API group "{group}" in the namespace "acme"'
    error = refusal(403, {"message": message}, f"/api/v1/namespaces/acme/{resource}")
    assert "ClusterRole edit" in str(error)
