"""The command starts the operator before Kopf, and stops Kopf only once the operator has resigned."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any, cast

import kopf
import pytest
import uvloop
from click.testing import CliRunner

from provisioner_operator.controller.__main__ import main, serve
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.telemetry import logs
from provisioner_operator.kube.connect import LoginError
from support.virtual_time import now, virtual_time


class Stage:
    """An operator whose start and resignation take some seconds, and a Kopf; both note what happens and when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, start: float = 5, namespaces: tuple[str, ...] = ()) -> None:
        self.settings = Settings(namespaces=namespaces)
        self.noted: list[tuple[str, float]] = []
        self.error: Exception | None = None
        self.kopf_arguments: dict[str, Any] = {}
        self._start = start
        monkeypatch.setattr(kopf, "spawn_tasks", self._spawn_tasks)
        monkeypatch.setattr(kopf, "run_tasks", self._run_tasks)

    async def start(self) -> None:
        await asyncio.sleep(self._start)
        if self.error is not None:
            raise self.error
        self._note("started")

    async def resign(self) -> None:
        await asyncio.sleep(2)
        self._note("resigned")

    async def stop(self) -> None:
        self._note("stopped")

    async def serve(self) -> None:
        await serve(cast("Operator", self))

    async def _spawn_tasks(self, **arguments: Any) -> list[asyncio.Task[None]]:
        self._note("Kopf spawned")
        self.kopf_arguments = arguments
        # As Kopf does, which installs handlers of its own.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, lambda: self._note("Kopf signaled"))
        return []

    async def _run_tasks(self, _: Any, *, ignored: set[asyncio.Task[Any]]) -> None:
        assert asyncio.current_task() in ignored
        await self.kopf_arguments["stop_flag"].wait()
        self._note("Kopf ended")

    def _note(self, what: str) -> None:
        self.noted.append((what, now()))


def signaled_at(seconds: float, number: signal.Signals) -> None:
    asyncio.get_running_loop().call_later(seconds, signal.raise_signal, number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@virtual_time
async def test_kopf_follows_the_start_and_ends_after_the_resignation(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch)
    signaled_at(60, number)
    await stage.serve()
    assert stage.noted == [("started", 5), ("Kopf spawned", 5), ("resigned", 62), ("Kopf ended", 62), ("stopped", 62)]


@virtual_time
async def test_a_signal_during_the_start_ends_it_without_kopf(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, start=3600)
    signaled_at(60, signal.SIGTERM)
    await stage.serve()
    assert stage.noted == [("resigned", 62), ("stopped", 62)]


@pytest.mark.parametrize("error", [StartupError("no definitions"), LoginError("no cluster")])
@virtual_time
async def test_a_failed_start_is_raised_after_everything_is_stopped(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch)
    stage.error = error
    with pytest.raises(type(error)):
        await stage.serve()
    assert stage.noted == [("stopped", 5)]


@pytest.mark.parametrize("namespaces", [(), ("acme", "globex")])
@virtual_time
async def test_kopf_serves_the_same_namespaces(namespaces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, namespaces=namespaces)
    signaled_at(60, signal.SIGTERM)
    await stage.serve()
    assert stage.kopf_arguments["namespaces"] == namespaces
    assert stage.kopf_arguments["clusterwide"] is not bool(namespaces)
    assert stage.kopf_arguments["standalone"], "no peering, which writes"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run the command line with its logs and its event loop left out."""
    monkeypatch.setattr(logs, "configure", lambda _: None)

    def run(*arguments: str, error: Exception | None = None) -> Any:
        def run_loop(main: Any) -> None:
            main.close()
            if error is not None:
                raise error

        monkeypatch.setattr(uvloop, "run", run_loop)
        return CliRunner().invoke(main, ["run", *arguments])

    return run


def test_an_invalid_setting_is_named_by_its_option_and_its_variable(command: Callable[..., Any]) -> None:
    result = command("--namespace", "Team A")
    assert result.exit_code == 2
    assert "--namespaces or PROVISIONER_OPERATOR_NAMESPACES: Value error, 'Team A' is not the name" in result.output


@pytest.mark.parametrize("error", [StartupError("install the definitions"), LoginError("no cluster")])
def test_a_cluster_that_cannot_be_served_is_an_error_of_one_line(error: Exception, command: Callable[..., Any]) -> None:
    result = command(error=error)
    assert (result.exit_code, result.output) == (1, f"provisioner-operator: {error}\n")


def test_an_option_comes_before_its_variable(command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[str] = []
    monkeypatch.setattr(logs, "configure", configured.append)
    monkeypatch.setenv("PROVISIONER_OPERATOR_LOG_FORMAT", "text")
    assert command().exit_code == command("--log-format", "json").exit_code == 0
    assert configured == ["text", "json"]
