"""A state that an earlier run left in Secrets, pushed by the program that the build's own `terraformVersion` chooses."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.provisioner import Failure
from provisioner_operator.daemon.saving.guarded_command import GuardedCommands
from provisioner_operator.daemon.saving.kept_states import keep
from provisioner_operator.daemon.saving.pusher import Pusher
from provisioner_operator.daemon.saving.unsaved_states import UnsavedStates
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.state import ClusterAccess
from unit.daemon.builders import a_task
from unit.daemon.saving.builders import a_record, a_state
from unit.daemon.saving.test_kept_states import Secrets

LONG = 3600.0
PROGRAM = """#!/bin/sh
[ "$1" = version ] && echo '{version}' && exit
echo "{name} $1 $2" >> '{calls}'
[ "$2" = push ] && cp "$3" '{pushed}'
exit 0
"""
"""A program in whose backend nothing is stored."""


class Daemon:
    """The part of a daemon that saves states; its default program is OpenTofu 1.10.3, and it has Terraform 1.11.4."""

    def __init__(self, directory: Path) -> None:
        self.calls, self.pushed = directory / "calls", directory / "pushed"
        self.calls.touch()
        default = self._add(directory / "tofu", "OpenTofu v1.10.3")
        self._add(directory / "others" / "terraform", "Terraform v1.11.4")
        self._binaries = Binaries(default, (directory / "others",))
        self._directory = directory
        self.store = Secrets()

    def build(self, **spec: str) -> tuple[Failure | None, list[str]]:
        """Save the state that job dev-6 left before a build of its workspace; return why the build fails, and all calls."""
        return asyncio.run(self._build(**spec)), self.calls.read_text().splitlines()

    async def _build(self, **spec: str) -> Failure | None:
        contact = Contact(now(), LONG)
        commands = GuardedCommands(contact, LONG)
        pusher = Pusher(self.store, commands, ClusterAccess(Path("/etc/kubeconfig")), self._directory, "push-")
        states = UnsavedStates(
            self.store, pusher, contact=contact, on_change=lambda: None, leftovers=(), binaries=self._binaries
        )
        # The program that wrote it is not on this machine.
        await keep(self.store, a_record(job="dev-6", binary="/elsewhere/terraform"), a_state())
        return await states.recover(a_task(**spec), [])

    def _add(self, path: Path, version: str) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROGRAM.format(version=version, name=path.name, calls=self.calls, pushed=self.pushed))
        path.chmod(0o755)
        return path


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="saving-") as folder:
        yield Daemon(Path(folder))


@pytest.mark.parametrize(
    ("spec", "program"), [({}, "tofu"), ({"terraformVersion": "~> 1.11"}, "terraform")], ids=["default", "chosen"]
)
def test_the_builds_own_program_pushes_the_state(daemon: Daemon, spec: dict[str, str], program: str) -> None:
    failure, calls = daemon.build(**spec)
    assert failure is None
    assert calls == [f"{program} init -input=false", f"{program} state pull", f"{program} state push"]
    assert daemon.pushed.read_bytes() == a_state()
    assert not daemon.store.objects


def test_a_version_that_the_daemon_lacks_fails_the_build_and_keeps_the_state(daemon: Daemon) -> None:
    failure, calls = daemon.build(terraformVersion="~> 0.11.0")
    assert failure is not None
    assert failure.reason is EndReason.STATE_UNSAVED
    assert "The job asks for terraformVersion `~> 0.11.0`, and its daemon has only OpenTofu 1.10.3" in failure.message
    assert "It is kept in the Secrets unsaved-tfstate-default-dev-ws-0 and following" in failure.message
    assert calls == []
    assert daemon.store.objects
