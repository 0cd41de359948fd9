"""The provisioner echo, which runs no Terraform, applies no plan."""

import asyncio
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.echo.provisioner import LEDGER, Echo
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from unit.daemon.builders import Objects, a_task, an_echo_task


def test_a_job_that_applies_a_plan_is_refused(tmp_path: Path) -> None:
    echo = Echo(Objects(), daemon="d1", instance="first")
    task = a_task(planRef={"job": "dev-6", "digest": "0" * 64})
    with pytest.raises(UnpreparedError, match="makes no plans, and applies none") as caught:
        asyncio.run(echo.prepare(task, tmp_path))
    assert caught.value.failure.reason is EndReason.PLAN_UNAVAILABLE


@pytest.mark.parametrize(
    ("hold", "ledger", "is_refused"),
    [("true", "", True), ("true", "/ledger", False), ("false", "", False), ("false", "/ledger", False)],
)
def test_only_a_job_that_waits_for_its_release_needs_a_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: str, ledger: str, *, is_refused: bool
) -> None:
    monkeypatch.delenv(LEDGER, raising=False)
    if ledger:
        monkeypatch.setenv(LEDGER, ledger)
    echo = Echo(Objects(), daemon="d1", instance="first")
    if not is_refused:
        program = asyncio.run(echo.prepare(an_echo_task(hold=hold), tmp_path))
        assert program.environment.get(LEDGER, "") == ledger
        return
    with pytest.raises(UnpreparedError, match="needs a ledger") as caught:
        asyncio.run(echo.prepare(an_echo_task(hold=hold), tmp_path))
    assert caught.value.failure.reason is EndReason.RUN_FAILED
