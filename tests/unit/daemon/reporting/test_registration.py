"""The way of a process to its ProvisionerDaemon, in virtual time: created, changed, refused, or waited for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.daemon.reporting.registration import (
    Flags,
    RegistrationError,
    RequirePrograms,
    await_registration,
    register,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    UnreachableError,
)
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import a_daemon_body
from unit.daemon.stored_objects import StoredObjects

AWAIT_CONTROLLER_SECONDS = 1.0
REMIND_SECONDS = 30.0

PATH = paths.daemon("acme", "d1")
TAGS = Flags(tags={"region": "eu"})


class NoProgramError(Exception):
    """The daemon lacks a program."""


def has_all(_provisioners: Sequence[Provisioner]) -> None:
    """A daemon that has every program."""


def has_only_echo(provisioners: Sequence[Provisioner]) -> None:
    if set(provisioners) != {Provisioner.ECHO}:
        raise NoProgramError


def registered(api: StoredObjects, flags: Flags, programs: RequirePrograms = has_all) -> dict[str, Any]:
    return run_in_virtual_time(register(api, "acme", "d1", flags, programs))


def verbs(api: StoredObjects) -> list[str]:
    return [verb for _, verb, _ in api.requests]


def test_a_new_daemon_is_created_with_what_its_flags_say() -> None:
    api = StoredObjects()
    flags = Flags({"region": "eu"}, (Provisioner.ECHO,), 4, 60, 5)
    body = registered(api, flags)
    assert body["spec"] == {
        "tags": {"region": "eu"},
        "provisioners": ["echo"],
        "capacity": 4,
        "lostAfterSeconds": 60,
        "cancelGraceSeconds": 5,
    }
    assert api.objects[PATH]["kind"] == "ProvisionerDaemon"


def test_a_daemon_that_is_as_its_flags_say_is_left_alone() -> None:
    api = StoredObjects({PATH: a_daemon_body(tags={"region": "eu"}, capacity=4)})
    assert registered(api, TAGS)["spec"]["capacity"] == 4
    assert verbs(api) == ["get"]


def test_a_daemon_that_differs_is_changed_in_what_was_given_and_tags_are_replaced() -> None:
    api = StoredObjects({PATH: a_daemon_body(tags={"region": "us", "gpu": "yes"}, capacity=4)})
    registered(api, TAGS)
    assert api.objects[PATH]["spec"] == {"tags": {"region": "eu"}, "capacity": 4}
    assert verbs(api) == ["get", "patch"]


def test_an_object_that_is_being_deleted_is_not_taken_over_but_made_again_once_it_is_gone() -> None:
    leaving = a_daemon_body(tags={"region": "us"})
    leaving["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    api = StoredObjects({PATH: leaving})

    async def run() -> dict[str, Any]:
        asyncio.get_running_loop().call_at(EPOCH + 25, lambda: api.remove(PATH))
        return await register(api, "acme", "d1", TAGS, has_all)

    assert run_in_virtual_time(run())["spec"] == {"tags": {"region": "eu"}}
    assert api.times("get") == [EPOCH, EPOCH + 10, EPOCH + 20, EPOCH + 30]
    assert api.times("patch") == []


@pytest.mark.parametrize("error", [UnreachableError("away"), ConflictError(409, "created meanwhile")])
def test_what_passes_is_waited_for(error: KubeError) -> None:
    api = StoredObjects()
    api.refusals = [error] * 30
    registered(api, TAGS)
    assert PATH in api.objects
    assert api.times("create")[-1] > EPOCH + 60


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ForbiddenError(403, "no"),
            "Not allowed to register ProvisionerDaemon acme/d1: no .*provisioner-daemon, and .*provisioner-external-daemon",
        ),
        (InvalidError(422, "spec.tags: bad"), "refuses ProvisionerDaemon acme/d1: spec.tags: bad .*Correct the flags"),
        (NotFoundError(404, "namespace"), "cannot be created: namespace .*Make sure that the namespace exists"),
        (ApiError(400, "bad"), "ProvisionerDaemon acme/d1 cannot be registered: bad"),
    ],
)
def test_a_refusal_is_explained(error: KubeError, said: str) -> None:
    api = StoredObjects()
    api.refusals = [error]
    with pytest.raises(RegistrationError, match=said):
        registered(api, TAGS)
    assert verbs(api) == ["get", "create"]


@pytest.mark.parametrize("right", [("patch", "provisionerdaemons/status"), ("impersonate", "provisionerdaemons")])
def test_a_daemon_that_could_not_report_leaves_no_object(right: tuple[str, str]) -> None:
    api = StoredObjects()
    api.denied = {right}
    verb, resource = right
    with pytest.raises(
        RegistrationError, match=f"verb {verb} on {resource}. Bind the ClusterRole .*provisioner-external-daemon"
    ):
        registered(api, TAGS)
    assert api.objects == {}


@pytest.mark.parametrize("flags", [TAGS, Flags(provisioners=(Provisioner.ECHO, Provisioner.TERRAFORM))], ids=str)
def test_a_daemon_without_its_program_leaves_no_object(flags: Flags) -> None:
    api = StoredObjects()
    with pytest.raises(NoProgramError):
        registered(api, flags, has_only_echo)
    assert api.objects == {}
    registered(api, Flags(provisioners=(Provisioner.ECHO,)), has_only_echo)
    assert PATH in api.objects


def waiting(api: StoredObjects, *steps: tuple[float, Any], seconds: float = 1000.0) -> dict[str, Any] | None:
    async def run() -> dict[str, Any] | None:
        for at, step in steps:
            asyncio.get_running_loop().call_at(EPOCH + at, step)
        try:
            async with asyncio.timeout(seconds):
                return await await_registration(api, "acme", "d1", "pod-uid")
        except TimeoutError:
            return None

    return run_in_virtual_time(run())


def owned(uid: str) -> dict[str, Any]:
    body = a_daemon_body()
    body["metadata"]["ownerReferences"] = [{"uid": uid}]
    return body


def test_a_daemon_in_a_pod_waits_until_the_controller_has_registered_it() -> None:
    api = StoredObjects()
    body = waiting(api, (100.5, lambda: api.store(PATH, owned("pod-uid"))))
    assert body is not None
    assert api.times("get")[-1] == EPOCH + 101
    assert api.times("get")[1] - api.times("get")[0] == AWAIT_CONTROLLER_SECONDS


@pytest.mark.parametrize("body", [owned("another"), a_daemon_body()], ids=["of a former Pod", "an admin's"])
def test_a_daemon_in_a_pod_does_not_take_what_is_not_its_pods(body: dict[str, Any]) -> None:
    assert waiting(StoredObjects({PATH: body})) is None


def test_a_daemon_that_waits_says_so_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    waiting(StoredObjects(), seconds=4 * REMIND_SECONDS)
    messages = [record.getMessage() for record in caplog.records if "Waiting to be registered" in record.getMessage()]
    assert len(messages) == 4
    assert "the controller has not created ProvisionerDaemon acme/d1" in messages[0]


def test_an_outage_is_waited_for_in_a_pod_too() -> None:
    api = StoredObjects({PATH: owned("pod-uid")})
    api.outage = UnreachableError("away")

    def recover() -> None:
        api.outage = None

    assert waiting(api, (50.5, recover)) is not None


def test_a_missing_right_ends_the_wait_in_a_pod() -> None:
    api = StoredObjects()
    api.outage = ForbiddenError(403, "no")
    with pytest.raises(RegistrationError, match="Bind the ClusterRole provisioner-daemon"):
        waiting(api)
