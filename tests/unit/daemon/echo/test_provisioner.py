"""The provisioner echo, which runs no Terraform, applies no plan."""

import asyncio
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.echo.provisioner import Echo
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from unit.daemon.builders import Objects, a_task


def test_a_job_that_applies_a_plan_is_refused(tmp_path: Path) -> None:
    echo = Echo(Objects(), daemon="d1", instance="first")
    task = a_task(planRef={"job": "dev-6", "digest": "0" * 64})
    with pytest.raises(UnpreparedError, match="makes no plans, and applies none") as caught:
        asyncio.run(echo.prepare(task, tmp_path))
    assert caught.value.failure.reason is EndReason.PLAN_UNAVAILABLE
