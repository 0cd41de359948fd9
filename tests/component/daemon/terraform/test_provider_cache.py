"""Runs of real Terraform that share the providers which the first of them fetches, from a mirror that counts downloads."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioner_devcluster import find_tofu
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.execution.stop_outcome import StopCause
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.provider_cache import LOCK_FILE, WAITING, ProviderStore
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import ClusterAccess
from support.programs.provider_server import Served, serving_coder_provider
from unit.daemon.builders import Objects, RememberingConsole, a_task, until

PROGRAMS: dict[str, Callable[[], Path]] = {"found": find_tofu, "opentofu": lambda: build(OPENTOFU)}
ENTRY = "packages/*/coder/coder/*/*"
CODE = 'terraform {\n  required_providers {\n    coder = {\n      source = "coder/coder"\n    }\n  }\n}\n'
LONG = 3600.0


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short path: providers listen on sockets below it, whose paths have at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="cache-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    with serving_coder_provider(folder) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


class Daemon:
    """The part of a daemon that runs imports of a template."""

    def __init__(self, directory: Path, program: Path, store: Path) -> None:
        self.directory = directory
        self.console = RememberingConsole()
        access = ClusterAccess(Path("/etc/kubeconfig"))
        self.terraform = Terraform(Objects(), binaries=Binaries(program), access=access, store=ProviderStore(store))

    def a_run(self, number: int, lock_file: str | None = None) -> Run:
        files = {"main.tf": CODE} | ({} if lock_file is None else {LOCK_FILE: lock_file})
        task = a_task(
            f"import-{number}",
            type="TemplateImport",
            transition=None,
            workspaceRef=None,
            source={"inline": {"files": files}},
        )
        log = RunLog("acme", f"import-{number}", self.console)
        contact = Contact(now(), LONG)
        return Run(task, self.terraform, contact=contact, grace=LONG, log=log, directory=self.directory)


@pytest.mark.parametrize("program", PROGRAMS)
def test_many_runs_at_once_fetch_a_provider_once(tmp_path: Path, mirror: Served, program: str) -> None:
    # As two daemons that share a directory, which is missing.
    daemons = [Daemon(tmp_path, PROGRAMS[program](), tmp_path / "missing" / "providers") for _ in range(2)]

    async def run_all() -> list[Outcome]:
        places = asyncio.Semaphore(4)

        async def run(number: int) -> Outcome:
            async with places:
                return await daemons[number % 2].a_run(number).execute()

        return await asyncio.gather(*(run(number) for number in range(8)))

    outcomes = asyncio.run(run_all())
    assert {outcome.phase for outcome in outcomes} == {Phase.COMPLETED}, [outcome.message for outcome in outcomes]
    assert mirror.server.downloads == 1
    assert any(WAITING in line for daemon in daemons for line in daemon.console.lines)


def test_a_run_killed_while_it_fetches_leaves_nothing_and_another_takes_its_turn(
    tmp_path: Path, mirror: Served
) -> None:
    store = tmp_path / "providers"
    daemon = Daemon(tmp_path, find_tofu(), store)
    mirror.server.open.clear()

    async def kill_first() -> tuple[Outcome, Outcome]:
        runs = [daemon.a_run(number) for number in (1, 2)]
        first = asyncio.create_task(runs[0].execute())
        await until(lambda: mirror.server.downloads == 1)
        second = asyncio.create_task(runs[1].execute())
        await until(lambda: any(WAITING in line for line in daemon.console.lines))
        runs[0].kill(StopCause.SHUTDOWN)
        killed = await first
        assert not list(store.glob(ENTRY))
        mirror.server.open.set()
        return killed, await second

    killed, other = asyncio.run(kill_first())
    assert (killed.phase, other.phase) == (Phase.FAILED, Phase.COMPLETED), (killed.message, other.message)
    assert mirror.server.downloads == 2
    assert [path.name for path in store.glob(f"{ENTRY}/*")] != []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_lock_file_is_checked_as_without_a_cache(tmp_path: Path, mirror: Served, program: str) -> None:
    store = tmp_path / "providers"
    daemon = Daemon(tmp_path, PROGRAMS[program](), store)

    def outcome(number: int, lock_file: str | None = None) -> Outcome:
        return asyncio.run(daemon.a_run(number, lock_file).execute())

    assert outcome(1).phase is Phase.COMPLETED
    (entry,) = store.glob(ENTRY)
    address, version = "/".join(entry.relative_to(store / "packages").parts[:3]), entry.parent.name
    content = next((entry / "package").iterdir()).read_bytes()
    lock = f'provider "{address}" {{\n  version = "{version}"\n  hashes = ["%s"]\n}}\n'
    assert outcome(2, lock % (entry / "h1").read_text()).phase is Phase.COMPLETED
    assert mirror.server.downloads == 1, "its hash is the one that Terraform computes"
    refused = outcome(3, lock % f"h1:{'A' * 43}=")
    assert refused.phase is Phase.FAILED
    assert "checksum" in refused.message
    assert next((entry / "package").iterdir()).read_bytes() == content
