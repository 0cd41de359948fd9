"""A ProvisionerSupply is created once, and replaced only while it is the one that was compared."""

from typing import Any

import pytest

from provisioner_operator.controller.writes.answers import NameTakenError, Result
from provisioner_operator.controller.writes.supplies import SupplyExecutor
from provisioner_operator.core.scheduling.supplies import SupplyContent, SupplyRecord, WriteSupply, daemon_offer
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import AlreadyExistsError, NotFoundError
from support.builders.controller import ControllerParts, stored
from support.builders.core import a_daemon
from support.virtual_time import virtual_time

CONTENT = SupplyContent((daemon_offer("daemon", a_daemon().supply),))


def body(version: int = 1, content: SupplyContent = CONTENT) -> Any:
    return stored(dict(WriteSupply("acme", None, content).body()), version=version)


def known(version: int = 1) -> SupplyRecord:
    return SupplyRecord("acme", "uid-of-default", version, SupplyContent(), SupplyContent().index)


def versions(parts: ControllerParts) -> list[int]:
    return [each.resource_version for each in parts.reconcilers.supplies.supplies()]


@virtual_time
async def test_the_answer_to_a_creation_is_observed() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", paths.supplies("acme"), body(3))
    assert await SupplyExecutor(parts.client, parts.observer).execute(WriteSupply("acme", None, CONTENT)) is Result.OK
    assert versions(parts) == [3]


@virtual_time
async def test_an_object_that_exists_already_is_observed_instead() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", paths.supplies("acme"), AlreadyExistsError(409, "exists"))
    parts.client.answers("GET", paths.supply("acme"), body(4))
    executor = SupplyExecutor(parts.client, parts.observer)
    assert await executor.execute(WriteSupply("acme", None, CONTENT)) is Result.CONFLICT
    assert versions(parts) == [4]


@virtual_time
async def test_an_object_that_nobody_can_read_is_not_created_again_and_again() -> None:
    parts = ControllerParts()
    parts.client.answers("POST", paths.supplies("acme"), AlreadyExistsError(409, "exists"))
    parts.client.answers("GET", paths.supply("acme"), {**body(4), "spec": {}})
    with pytest.raises(NameTakenError):
        await SupplyExecutor(parts.client, parts.observer).execute(WriteSupply("acme", None, CONTENT))


@virtual_time
async def test_the_answer_to_a_write_is_observed() -> None:
    parts = ControllerParts()
    parts.client.answers("PATCH", paths.supply("acme"), body(5))
    executor = SupplyExecutor(parts.client, parts.observer)
    assert await executor.execute(WriteSupply("acme", known(), CONTENT)) is Result.OK
    assert versions(parts) == [5]


@virtual_time
async def test_an_object_that_is_gone_is_news_and_one_that_is_the_same_is_not() -> None:
    parts = ControllerParts()
    executor = SupplyExecutor(parts.client, parts.observer)
    parts.client.answers("GET", paths.supply("acme"), body(1), NotFoundError(404, "gone"))
    assert not await executor.is_news(WriteSupply("acme", known(), CONTENT))
    assert await executor.is_news(WriteSupply("acme", known(), CONTENT))
    assert versions(parts) == []
    assert not await executor.is_news(WriteSupply("acme", None, CONTENT))
