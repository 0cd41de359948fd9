"""States that Terraform could not save, and their fate, in virtual time; a scripted pusher takes the part of Terraform."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.state_keeper import Handover
from provisioner_operator.daemon.execution.unsaved_state import RunRecord, UnsavedState
from provisioner_operator.daemon.saving.kept_states import chunk_name, keep, read_kept
from provisioner_operator.daemon.saving.pusher import AwayError, NotSavedError, Pusher
from provisioner_operator.daemon.saving.unsaved_states import SAVED_LATER, UnsavedStates
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from support.virtual_time import now, run_in_virtual_time
from unit.daemon.builders import a_task, until
from unit.daemon.saving.builders import a_record, a_state, an_unsaved_state
from unit.daemon.saving.test_kept_states import Secrets

QUOTA = ForbiddenError(403, "exceeded quota: secrets")


@dataclass
class ScriptedPusher:
    """Answers each push as scripted, and with success after that."""

    parent: Path
    answers: list[Exception] = field(default_factory=list)
    prefix: str = "push-"
    pushed: list[tuple[RunRecord, bytes, bool]] = field(default_factory=list)
    released: int = 0
    tries: list[float] = field(default_factory=list)
    """The time of each push."""

    async def push(self, run: RunRecord, file: Path, *, is_alone: bool) -> None:
        self.tries.append(now())
        if self.answers:
            raise self.answers.pop(0)
        self.pushed.append((run, await asyncio.to_thread(file.read_bytes), is_alone))

    async def release_lock(self, run: RunRecord) -> None:
        del run
        self.released += 1


class World:
    """A daemon's unsaved states."""

    def __init__(self, directory: Path, *answers: Exception, leftovers: tuple[UnsavedState, ...] = ()) -> None:
        self.store = Secrets()
        self.pusher = ScriptedPusher(directory, list(answers))
        self.contact = Contact(0.0, 100.0, clock=lambda: self.clock)
        self.clock = 0.0
        self.changes = 0
        self.leftovers = leftovers
        self.terraform = Path("/bin/true")
        self.states: UnsavedStates

    def run(self, work: Callable[[], Awaitable[Any]], seconds: float = 1000.0) -> Any:
        async def run() -> Any:
            self.states = UnsavedStates(
                self.store,
                cast("Pusher", self.pusher),
                contact=self.contact,
                on_change=self._changed,
                leftovers=self.leftovers,
                binaries=Binaries(self.terraform),
            )
            async with asyncio.timeout(seconds):
                result = await work()
                await self.states.close()
                return result

        return run_in_virtual_time(run())

    def hand_over(self, unsaved: UnsavedState) -> Handover:
        handover = self.run(lambda: self.states.take_over(unsaved.directory, breaches=0))
        assert isinstance(handover, Handover)
        return handover

    def _changed(self) -> None:
        self.changes += 1


def test_a_state_is_pushed_as_soon_as_the_api_server_is_back(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    world = World(tmp_path, *[AwayError("away")] * 5)
    assert world.hand_over(unsaved) == Handover(is_saved=True, message=SAVED_LATER)
    assert world.pusher.pushed == [(a_record(), a_state(), True)]
    assert not unsaved.directory.exists()
    assert (list(world.states.waiting), world.changes) == ([], 2)
    assert world.pusher.tries == [0, 2, 4, 6, 8, 10]


def test_a_daemon_that_lost_contact_meanwhile_may_no_longer_be_alone(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    world = World(tmp_path)
    world.clock = 90.0
    world.hand_over(unsaved)
    assert [is_alone for _, _, is_alone in world.pusher.pushed] == [False]


def test_a_state_that_is_refused_is_kept_in_secrets_and_its_lock_released(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    world = World(tmp_path, NotSavedError("too large"))
    handover = world.hand_over(unsaved)
    assert not handover.is_saved
    assert "(too large). It is kept in the Secrets unsaved-tfstate-default-dev-ws-0 and following" in handover.message
    kept = asyncio.run(read_kept(world.store, "acme", "dev"))
    assert kept is not None
    assert kept.content == a_state()
    assert world.pusher.released == 1
    assert not unsaved.directory.exists()


def test_where_secrets_are_refused_too_the_daemon_says_so_and_tries_on(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    world = World(tmp_path, NotSavedError("exceeded quota"), NotSavedError("exceeded quota"))
    world.store.refusals = [QUOTA, UnreachableError("away")]

    async def work() -> Handover | None:
        handover = await world.states.take_over(unsaved.directory, breaches=0)
        (waiting,) = world.states.waiting
        assert waiting.reason.startswith("exceeded quota; nor can it be kept in Secrets: exceeded quota: secrets")
        assert unsaved.file.exists()
        await until(lambda: not world.states.waiting)
        return handover

    handover = world.run(work)
    assert not handover.is_saved
    assert f"The daemon keeps it in {unsaved.file} and goes on trying" in handover.message
    assert len(world.pusher.pushed) == 1
    # Refused, then away.
    assert world.pusher.tries == [0, 30, 32]


def test_an_unexpected_error_loses_nothing(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    world = World(tmp_path, ValueError("bug"))
    assert "ValueError('bug')" in world.hand_over(unsaved).message
    assert unsaved.file.exists()


def test_a_process_that_ends_leaves_the_state_on_its_disk_and_lets_no_run_wait(tmp_path: Path) -> None:
    unsaved, second = an_unsaved_state(tmp_path), an_unsaved_state(tmp_path, "second")
    world = World(tmp_path, *[AwayError("away")] * 1000)

    async def work() -> list[Handover | None]:
        waiting = asyncio.create_task(world.states.take_over(unsaved.directory, breaches=0))
        await until(lambda: bool(world.states.waiting))
        await world.states.close()
        return [await waiting, await world.states.take_over(second.directory, breaches=0)]

    assert [each.is_saved for each in world.run(work)] == [False, False]
    assert unsaved.file.exists()
    assert second.file.exists()


def test_what_a_former_process_left_is_pushed_once_this_one_is_known(tmp_path: Path) -> None:
    leftover = an_unsaved_state(tmp_path)
    world = World(tmp_path, leftovers=(leftover,))

    async def work() -> None:
        assert len(world.states.waiting) == 1
        assert not world.pusher.pushed
        for _ in range(2):
            world.states.begin()
        await until(lambda: not world.states.waiting)

    world.run(work)
    # Whether another run has written since is not known.
    assert [is_alone for _, _, is_alone in world.pusher.pushed] == [False]


def test_a_run_without_an_unsaved_state_of_its_own_has_nothing_to_hand_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.run(lambda: world.states.take_over(tmp_path, breaches=0)) is None


class Builds(World):
    """A daemon with a kept state, before a build of its workspace."""

    def recover(self, **spec: Any) -> tuple[str | None, list[str]]:
        lines: list[str] = []

        async def work() -> str | None:
            await keep(self.store, a_record(job="dev-6"), a_state())
            failure = await self.states.recover(a_task(**spec), lines)
            assert failure is None or failure.reason is EndReason.STATE_UNSAVED
            return None if failure is None else failure.message

        return self.run(work), lines


def test_the_next_build_pushes_a_kept_state_first(tmp_path: Path) -> None:
    world = Builds(tmp_path)
    assert world.recover() == (None, ["The state that job dev-6 could not save is saved now"])
    ((run, content, _),) = world.pusher.pushed
    assert (run.job, run.binary, content) == ("dev-6", "/bin/true", a_state())
    assert not world.store.objects
    assert not list(tmp_path.iterdir())


def test_the_next_build_fails_while_a_kept_state_is_refused(tmp_path: Path) -> None:
    world = Builds(tmp_path, NotSavedError("too large"))
    failure, lines = world.recover()
    assert failure is not None
    assert "could not be saved (too large). It is kept in the Secrets" in failure
    assert (lines, list(world.store.objects)) == ([], [paths.secret("acme", chunk_name("dev", 0))])


def test_the_next_build_fails_on_a_daemon_without_the_program(tmp_path: Path) -> None:
    world = Builds(tmp_path)
    world.terraform = tmp_path / "missing"
    failure, _ = world.recover()
    assert failure is not None
    assert "missing" in failure


@pytest.mark.parametrize("spec", [{"provisioner": "echo"}, {"type": JobType.TEMPLATE_DRY_RUN}, {"workspaceRef": None}])
def test_jobs_without_a_state_need_no_look(tmp_path: Path, spec: dict[str, Any]) -> None:
    world = Builds(tmp_path)
    spec = {key: value for key, value in spec.items() if value is not None} if "workspaceRef" not in spec else spec
    assert world.recover(**spec) == (None, [])
    assert world.store.objects


def test_a_build_waits_a_minute_for_the_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Builds(tmp_path)

    async def work() -> None:
        # The clock of the library that repeats requests.
        monkeypatch.setattr(time, "monotonic", asyncio.get_running_loop().time)
        world.store.outage = UnreachableError("away")
        failure = await world.states.recover(a_task(), [])
        assert failure is not None
        assert 54 < now() < 67

    world.run(work)


def test_a_build_does_not_begin_while_nobody_knows_whether_there_is_a_kept_state(tmp_path: Path) -> None:
    world = Builds(tmp_path)

    async def work() -> None:
        world.store.outage = ForbiddenError(403, "no right")
        failure = await world.states.recover(a_task(), [])
        assert failure is not None
        assert "no right" in failure.message

    world.run(work)
