"""The command runs Kopf over the operator's handlers, and reports why the operator could not start or has to start anew."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import kopf
import pytest
import uvloop
from click.testing import CliRunner

from provisioner_operator.controller.__main__ import main, serve
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.controller.settings import Settings
from provisioner_operator.controller.supervisor import TaskEndedError
from provisioner_operator.controller.telemetry import logs
from provisioner_operator.kube.logins.login import LoginError

FAILURES = [StartupError("no definitions"), LoginError("no cluster"), TaskEndedError("a task ended")]


class Stage:
    """The part of an operator that the command uses, and a Kopf that ends at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, namespaces: tuple[str, ...] = ()) -> None:
        self.settings = Settings(namespaces=namespaces)
        self.failure: Exception | None = None
        self.kopf_error: Exception | None = None
        self.kopf_arguments: dict[str, Any] = {}
        monkeypatch.setattr(kopf, "operator", self._run_kopf)

    def serve(self) -> None:
        asyncio.run(serve(cast("Operator", self)))

    async def _run_kopf(self, **arguments: Any) -> None:
        self.kopf_arguments = arguments
        if self.kopf_error is not None:
            raise self.kopf_error


@pytest.mark.parametrize("namespaces", [(), ("acme", "globex")])
def test_kopf_serves_the_same_namespaces_with_all_handlers(
    namespaces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch, namespaces=namespaces)
    stage.serve()
    assert stage.kopf_arguments["namespaces"] == namespaces
    assert stage.kopf_arguments["clusterwide"] is not bool(namespaces)
    assert stage.kopf_arguments["standalone"], "no peering, which writes"
    activities = stage.kopf_arguments["registry"]._activities.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    assert {str(handler.id) for handler in activities} >= {"start", "stop"}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kopf_error", [None, RuntimeError("One or more handlers failed.")])
def test_the_operators_failure_is_raised_however_kopf_ends(
    failure: Exception, kopf_error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch)
    stage.failure, stage.kopf_error = failure, kopf_error
    with pytest.raises(type(failure), match=str(failure)):
        stage.serve()


def test_an_error_of_kopf_alone_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.kopf_error = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        stage.serve()


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


@pytest.mark.parametrize("error", FAILURES)
def test_a_failure_is_an_error_of_one_line(error: Exception, command: Callable[..., Any]) -> None:
    result = command(error=error)
    assert (result.exit_code, result.output) == (1, f"provisioner-operator: {error}\n")


def test_an_option_comes_before_its_variable(command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[str] = []
    monkeypatch.setattr(logs, "configure", configured.append)
    monkeypatch.setenv("PROVISIONER_OPERATOR_LOG_FORMAT", "text")
    assert command().exit_code == command("--log-format", "json").exit_code == 0
    assert configured == ["text", "json"]
