"""Versions that a run keeps of its workspace's state, and those that it removes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from provisioner_operator.api.v1alpha1.names import state_versions_name
from provisioner_operator.core.states.file import pack
from provisioner_operator.core.states.lock import state_secret
from provisioner_operator.core.states.versions import StateVersion
from provisioner_operator.daemon.terraform.state_history import StateVersions
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError, ForbiddenError
from provisioner_operator.kube.state_histories import history_of, state_body
from support.builders.states import a_state
from unit.daemon.builders import Objects

STATE, VERSIONS = paths.secret("acme", state_secret("dev")), paths.secret("acme", state_versions_name("dev"))


class Cluster(Objects):
    """Secrets that change only as they were read, as on an API server."""

    def __init__(self) -> None:
        super().__init__()
        self.conflicts = 0

    def store(self, text: bytes | None) -> None:
        if text is None:
            self.objects.pop(STATE, None)
        else:
            self.objects[STATE] = dict(state_body("dev", pack(text)))

    @property
    def versions(self) -> tuple[StateVersion, ...]:
        return history_of(self.objects[VERSIONS]).versions if VERSIONS in self.objects else ()

    @override
    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        await super().create(path, {**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}})
        return self.objects[VERSIONS]

    @override
    async def merge_patch(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        found = self.objects[path]
        version = found["metadata"]["resourceVersion"]
        if self.conflicts or body["metadata"]["resourceVersion"] != version:
            self.conflicts -= 1
            found["metadata"] |= {"resourceVersion": str(int(version) + 1)}
            raise ConflictError(409, "changed")
        data = {key: value for key, value in (found["data"] | body["data"]).items() if value is not None}
        self.writes.append("patch")
        self.objects[path] = found | {"data": data}
        return self.objects[path]

    @override
    async def delete(self, path: str, /, *, uid: str, resource_version: int | None = None) -> dict[str, Any] | None:
        assert (uid, resource_version) == ("u", 1)
        self.objects.pop(path)
        return None


def versions_of(cluster: Cluster, job: str = "dev-1") -> StateVersions:
    return StateVersions(cluster, namespace="acme", workspace="dev", job=job)


def keep(cluster: Cluster, when: str = "after", job: str = "dev-1") -> list[str]:
    return [*asyncio.run(versions_of(cluster, job).keep(when))]


def test_a_state_is_kept_before_and_after_a_run_once_each() -> None:
    cluster = Cluster()
    cluster.store(a_state(serial=1))
    assert keep(cluster, "before") == []
    assert keep(cluster, "after") == []
    cluster.store(a_state(serial=3, resources=1))
    keep(cluster, "after", "dev-2")
    assert [(each.serial, each.origin) for each in cluster.versions] == [(1, "before dev-1"), (3, "after dev-2")]
    assert cluster.writes == ["create", "patch"]


def test_a_workspace_without_a_state_has_no_versions() -> None:
    cluster = Cluster()
    assert keep(cluster) == []
    assert cluster.writes == []


def test_a_version_that_somebody_else_kept_meanwhile_is_not_written_over() -> None:
    cluster = Cluster()
    for serial in (1, 2):
        cluster.store(a_state(serial=serial))
        cluster.conflicts = 1 if serial == 2 else 0
        assert keep(cluster) == []
    assert [each.serial for each in cluster.versions] == [1, 2]


def test_a_state_that_cannot_be_kept_is_said_and_fails_nothing() -> None:
    cluster = Cluster()
    cluster.objects[STATE] = dict(state_body("dev", pack(a_state())[:-9]))
    assert keep(cluster) == ["This state is not kept as a version: it does not fit into one Secret."]
    cluster.failure = ForbiddenError(403, "no")
    (line,) = keep(cluster)
    assert line.startswith("This state is not kept as a version: no")


def test_a_foreign_secret_of_that_name_is_left_alone() -> None:
    cluster = Cluster()
    cluster.store(a_state())
    foreign = {"metadata": {"name": "state-versions-dev", "uid": "u", "resourceVersion": "1"}, "type": "Opaque"}
    cluster.objects[VERSIONS] = foreign
    (line,) = keep(cluster)
    assert "is not of the type" in line
    cluster.store(None)
    assert asyncio.run(versions_of(cluster).end())
    assert cluster.objects[VERSIONS] is foreign


def test_the_versions_go_with_the_last_resource() -> None:
    for empty in (None, a_state(serial=2)):
        cluster = Cluster()
        cluster.store(a_state(serial=1, resources=1))
        keep(cluster)
        cluster.store(empty)
        assert asyncio.run(versions_of(cluster).end()) == ()
        assert VERSIONS not in cluster.objects
        assert asyncio.run(versions_of(cluster).end()) == ()  # nothing is left to remove


def test_a_destroy_that_left_resources_is_a_version_like_any_other() -> None:
    cluster = Cluster()
    cluster.store(a_state(serial=2, resources=1))
    asyncio.run(versions_of(cluster).end())
    assert [each.serial for each in cluster.versions] == [2]
