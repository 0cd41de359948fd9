"""A state is pushed only where it may replace the stored one, and its run's lock protects it until then."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.states.lock import HoldingRun, lock_id, lock_info, lock_lease, new_lock
from provisioner_operator.daemon.saving.guarded_command import Ended, GuardedCommands
from provisioner_operator.daemon.saving.pusher import AwayError, NotSavedError, Pusher
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import (
    ForbiddenError,
    InternalError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)
from support.virtual_time import virtual_time
from unit.daemon.saving.builders import a_record, a_state

LONGEST_REASON = 500

LEASE = paths.lease("acme", lock_lease("dev"))
NO_LOCK = NotFoundError(404, "no lock")
DOWN = UnreachableError(503, "down")


def a_lock(uid: str) -> dict[str, Any]:
    """The lock that the run of this job holds."""
    run = HoldingRun("dev-7", uid, "d1", "first", "here")
    body: dict[str, Any] = dict(new_lock("dev", lock_id("a"), lock_info(run, "a", 0.0, "1.0")))
    body["metadata"] = {**body["metadata"], "uid": "uid-of-lock", "resourceVersion": "5"}
    return body


OWN, FOREIGN = a_lock("uid-of-dev-7"), a_lock("uid-of-dev-8")


@dataclass
class Cluster:
    """The lock, Terraform with its backend, and the contact of the daemon."""

    lock: dict[str, Any] | Exception = field(default_factory=lambda: NO_LOCK)
    later_lock: dict[str, Any] | Exception | None = None
    """The lock as it is from the second look on, if it is another."""
    release: Exception | None = None
    stored: str = ""
    codes: dict[str, int] = field(default_factory=dict)
    """Exit codes by Terraform's first argument."""
    errors: str = ""
    is_overdue: bool = False
    patches: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    @property
    def contact(self) -> "Cluster":
        return self

    async def get(self, path: str) -> dict[str, Any]:
        assert path == LEASE
        lock = self.lock
        self.lock = lock if self.later_lock is None else self.later_lock
        if isinstance(lock, Exception):
            raise lock
        return lock

    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        assert patch.removes == ("/spec/holderIdentity",)
        self.patches.append(path)
        if self.release is not None:
            raise self.release
        return {}

    async def run(self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Ended:
        binary, *words = arguments
        assert binary == "/bin/tofu"
        assert environment["HOME"] == environment["TMPDIR"] == str(directory)
        self.ran.append(" ".join(word for word in words if not word.startswith(("-input", "-backend", "/"))))
        output = self.stored if words[:2] == ["state", "pull"] else ""
        code = self.codes.get(" ".join(words[:2]), self.codes.get(words[0], 0))
        return Ended(code, output, self.errors)


def a_pusher(cluster: Cluster, parent: Path) -> Pusher:
    return Pusher(cluster, cast("GuardedCommands", cluster), ClusterAccess(Path("/etc/kubeconfig")), parent, "push-")


async def pushed(cluster: Cluster, parent: Path, *, is_alone: bool = True, **record: Any) -> list[str]:
    """Push a state with the serial 2, and return what Terraform ran."""
    file = parent / "errored.tfstate"
    file.write_bytes(a_state(2))
    await a_pusher(cluster, parent).push(a_record(**{"in_cluster": True} | record), file, is_alone=is_alone)
    return cluster.ran


PUSH = ["init", "state pull", "state push"]


@virtual_time
async def test_a_state_is_pushed_over_the_one_that_it_follows(tmp_path: Path) -> None:
    cluster = Cluster(stored=a_state(1).decode())
    assert await pushed(cluster, tmp_path) == PUSH
    assert cluster.patches == []


@virtual_time
async def test_under_the_lock_of_its_own_run_it_is_pushed_without_another_and_the_lock_is_released(
    tmp_path: Path,
) -> None:
    cluster = Cluster(OWN, stored=a_state(1).decode())
    assert await pushed(cluster, tmp_path, is_alone=False) == [*PUSH[:2], "state push -lock=false"]
    assert cluster.patches == [LEASE]


@pytest.mark.parametrize(
    ("cluster", "record", "kind", "reason", "ran"),
    [
        (Cluster(), {"in_cluster": False}, NotSavedError, "a backend of its own", 0),
        (Cluster(FOREIGN), {}, NotSavedError, "is locked by job dev-7 on daemon d1 [(]lock id provisioner.dev/a[)]", 0),
        (Cluster(is_overdue=True), {}, AwayError, "no contact", 0),
        (Cluster(DOWN), {}, AwayError, "down", 0),
        (Cluster(InternalError(500, "etcd")), {}, AwayError, "etcd", 0),
        (Cluster(ForbiddenError(403, "no")), {}, NotSavedError, "the lock of the state cannot be read: no", 0),
        (Cluster(stored="nothing"), {}, NotSavedError, "cannot be compared", 2),
        (Cluster(stored=a_state(3).decode()), {}, NotSavedError, "another run has written since", 2),
        (Cluster(codes={"init": 1}, errors="no  \x1b[31mroute\n│"), {}, NotSavedError, "^`init -input=false` failed: no route$", 1),
        (Cluster(codes={"state push": 1}, errors="x" * 999), {}, NotSavedError, f"^`state push` failed: x{{{LONGEST_REASON}}}$", 3),
        (Cluster(later_lock=DOWN, codes={"state pull": 1}, errors="gone"), {}, AwayError, "down", 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_state_that_is_not_saved_says_why(
    cluster: Cluster, record: dict[str, Any], kind: type[Exception], reason: str, ran: int, tmp_path: Path
) -> None:
    @virtual_time
    async def push() -> None:
        with pytest.raises(NotSavedError, match=reason) as caught:
            await pushed(cluster, tmp_path, **record)
        assert type(caught.value) is kind

    push()
    assert len(cluster.ran) == ran
    assert cluster.patches == []


@virtual_time
async def test_a_file_that_cannot_be_read_is_not_pushed(tmp_path: Path) -> None:
    cluster = Cluster()
    with pytest.raises(NotSavedError, match="cannot be compared"):
        await a_pusher(cluster, tmp_path).push(a_record(in_cluster=True), tmp_path / "gone", is_alone=True)
    assert cluster.ran == PUSH[:2]


@pytest.mark.parametrize(
    ("lock", "answer", "patches", "away"),
    [
        (OWN, None, 1, False),
        (FOREIGN, None, 0, False),
        (json.loads(json.dumps(OWN)) | {"spec": {}}, None, 0, False),
        (NO_LOCK, None, 0, False),
        (OWN, PreconditionFailedError(422, "changed"), 1, False),
        (OWN, ForbiddenError(403, "no"), 1, False),
        (OWN, DOWN, 1, True),
    ],
)
def test_only_the_lock_of_the_run_itself_is_released(
    lock: Any, answer: Exception | None, patches: int, *, away: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster(lock, release=answer)

    @virtual_time
    async def release() -> None:
        if away:
            with pytest.raises(AwayError, match="down"):
                await a_pusher(cluster, tmp_path).release_lock(a_record())
        else:
            await a_pusher(cluster, tmp_path).release_lock(a_record())

    release()
    assert len(cluster.patches) == patches
    assert ("cannot be released" in caplog.text) is isinstance(answer, ForbiddenError)
