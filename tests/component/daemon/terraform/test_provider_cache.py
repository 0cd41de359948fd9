"""Runs of real Terraform that share the providers which the first of them fetches, from a mirror that counts downloads."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner_devcluster import find_tofu
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.run import WAITING, Run
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.terraform.provider_cache import ProviderStore
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import ClusterAccess
from support.programs.provider_server import Served, serving_coder_provider
from unit.daemon.builders import Objects, RememberingConsole, a_task

PROGRAMS = sorted({str(find_tofu()), shutil.which("terraform") or str(find_tofu())})
CODE = 'terraform {\n  required_providers {\n    coder = {\n      source = "coder/coder"\n    }\n  }\n}\n'
LONG = 3600.0


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

    def __init__(self, directory: Path, program: str, store: Path) -> None:
        self.directory = directory
        self.console = RememberingConsole()
        access = ClusterAccess(Path("/etc/kubeconfig"))
        self.terraform = Terraform(Objects(), binary=Path(program), access=access, store=ProviderStore(store))

    async def run(self, number: int, **files: str) -> Outcome:
        task = a_task(
            f"import-{number}",
            type="TemplateImport",
            transition=None,
            workspaceRef=None,
            source={"inline": {"files": {"main.tf": CODE} | files}},
        )
        log = RunLog("acme", f"import-{number}", self.console)
        contact = Contact(now(), LONG)
        return await Run(task, self.terraform, contact=contact, grace=LONG, log=log, directory=self.directory).execute()


@pytest.mark.parametrize("program", PROGRAMS)
def test_many_runs_at_once_fetch_a_provider_once(tmp_path: Path, mirror: Served, program: str) -> None:
    # As two daemons that share a directory, which is missing.
    daemons = [Daemon(tmp_path, program, tmp_path / "missing" / "providers") for _ in range(2)]

    async def run_all() -> list[Outcome]:
        places = asyncio.Semaphore(6)

        async def run(number: int) -> Outcome:
            async with places:
                return await daemons[number % 2].run(number)

        return await asyncio.gather(*(run(number) for number in range(12)))

    outcomes = asyncio.run(run_all())
    assert {outcome.phase for outcome in outcomes} == {Phase.COMPLETED}, [outcome.message for outcome in outcomes]
    assert mirror.server.downloads == 1
    assert any(WAITING in line for daemon in daemons for line in daemon.console.lines)
