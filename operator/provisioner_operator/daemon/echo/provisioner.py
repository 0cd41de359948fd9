"""Run echo jobs, which provision nothing: for tests, load and trials.

Variables: `seconds` to take, `lines` of log to write meanwhile, `flood_bytes` of further output, `hold` to keep running
until a test releases it, `ignore_interrupt`, `fail` with this message, `outputs` as a JSON object. Others are ignored. Secret
values are read as for any job.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Output, ResourceChange
from provisioner_operator.daemon.echo import program
from provisioner_operator.daemon.execution.outputs import Outputs
from provisioner_operator.daemon.execution.provisioner import Failure, Stage, StageEnd, Task, UnpreparedError
from provisioner_operator.daemon.inputs.objects import Reader
from provisioner_operator.daemon.inputs.variables import Variables, read_variables
from provisioner_operator.daemon.logs.redaction import Redactor

LEDGER = "PROVISIONER_ECHO_LEDGER"
"""Variable of the daemon's environment: the file in which each run records its start and end, for tests."""
STAGE = "echo"
_TRUE = frozenset({"true", "yes", "1"})
_BRIEF = 500


class EchoProgram:
    """One echo run."""

    resources: Sequence[ResourceChange] = ()
    variables: Sequence[DeclaredVariable] = ()
    commit: str | None = None
    plan_digest: str | None = None
    summary: str | None = None
    notices: Sequence[str] = ()

    def __init__(self, variables: Variables, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment) | {program.SETTINGS: json.dumps(_settings(variables.values))}
        self.secrets = variables.secrets
        self._outputs = Outputs()
        self.stages = (Stage(STAGE, (sys.executable, "-I", "-S", program.__file__)),)
        self._last_error = ""

    @property
    def outputs(self) -> Sequence[Output]:
        """The values of the variable `outputs`."""
        return self._outputs.recorded

    def read(self, stage: str, stream: str, line: str) -> Sequence[str]:
        """Keep the outputs and the last error; the log shows every line."""
        del stage
        if line.startswith(program.OUTPUTS_PREFIX):
            given = json.loads(line.removeprefix(program.OUTPUTS_PREFIX))
            return (line, *self._outputs.note(given))
        if stream == "stderr":
            self._last_error = line
        return (line,)

    def end_stage(self, stage: str, code: int) -> StageEnd:
        """Fail with the message that the job asked for."""
        del stage
        if code == 0:
            return StageEnd()
        # Masked before it is cut: half a secret would not be recognized.
        message = f": {Redactor(self.secrets)(self._last_error)[:_BRIEF]}" if self._last_error else ""
        return StageEnd(
            failure=Failure(
                EndReason.RUN_FAILED, f"echo exited with code {code}{message}. The job's variables asked for it."
            )
        )

    async def finish(self, *, completed: bool) -> Sequence[str]:
        """Do nothing: the run has taken nothing."""
        del completed
        return ()


class Echo:
    """Turns jobs into echo runs."""

    def __init__(self, reader: Reader, *, daemon: str, instance: str) -> None:
        self._reader = reader
        self._daemon = daemon
        self._instance = instance

    async def prepare(self, task: Task, directory: Path) -> EchoProgram:
        """Read the variables; there are no files."""
        del directory
        if task.model.spec.plan_ref is not None:
            raise UnpreparedError(EndReason.PLAN_UNAVAILABLE, "The provisioner echo makes no plans, and applies none.")
        job = task.job
        identity = {
            "PROVISIONER_JOB_UID": job.uid,
            "PROVISIONER_JOB_NAME": job.name,
            "PROVISIONER_JOB_NAMESPACE": job.namespace,
            "PROVISIONER_WORKSPACE": job.workspace or "",
            "PROVISIONER_DAEMON": self._daemon,
            "PROVISIONER_INSTANCE": self._instance,
        }
        if LEDGER in os.environ:
            identity[LEDGER] = os.environ[LEDGER]
        variables = await read_variables(self._reader, task.model)
        if _is_true(variables.values.get("hold")) and LEDGER not in identity:
            raise UnpreparedError(
                EndReason.RUN_FAILED,
                f"The variable hold needs a ledger, beside which the run finds its release: start the daemon with {LEDGER}.",
            )
        return EchoProgram(variables, identity)


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in _TRUE


def _settings(variables: Mapping[str, str]) -> Mapping[str, object]:
    def given(name: str, default: str) -> str:
        return variables.get(name) or default

    try:
        outputs = json.loads(given("outputs", "{}"))
        return {
            "seconds": float(given("seconds", "0")),
            "lines": int(given("lines", "0")),
            "flood_bytes": int(given("flood_bytes", "0")),
            "hold": _is_true(variables.get("hold")),
            "ignore_interrupt": _is_true(variables.get("ignore_interrupt")),
            "fail": given("fail", ""),
            "outputs": dict(outputs),
        }
    except (ValueError, TypeError) as error:
        raise UnpreparedError(EndReason.RUN_FAILED, f"A variable of the echo job cannot be parsed: {error}.") from None
