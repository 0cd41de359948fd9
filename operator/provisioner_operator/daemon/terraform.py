"""The terraform provisioner: init, plan, apply (destroy for Delete) with `terraform` or `tofu`.

State is kept by workspace in the `kubernetes` backend. A TemplateImport is initialised without state and validated; a
TemplateDryRun is planned against no state. Values of variables reach the program only in its environment.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.api.enums import EndReason, JobType, Transition
from provisioner_operator.core.outcome import Output, ResourceChange
from provisioner_operator.core.records import Job
from provisioner_operator.daemon import terraform_state as state
from provisioner_operator.daemon.inputs import Reader, Variables, read_files, read_variables
from provisioner_operator.daemon.provisioner import Failure, Stage, StageEnd, Task, UnpreparedError
from provisioner_operator.daemon.terraform_context import context_environment
from provisioner_operator.daemon.terraform_failure import BACKEND_OVERRIDDEN, explain_failure
from provisioner_operator.daemon.terraform_output import OutputReader

BINARIES = ("tofu", "terraform")
"""Looked for in this order when none is given."""
INIT, PLAN, APPLY, DESTROY, VALIDATE = "init", "plan", "apply", "destroy", "validate"
_PLAN_FILE = "provisioner.tfplan"
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"),
    *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"),  # without these there is no in-cluster configuration
)
"""What a run gets of the daemon's environment; credentials for clouds come from Secrets, by variable. Nothing of Coder's
(CODER_*): what a template is told is of its job, the same on every daemon (`terraform_context`)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is fixed for one run: where its state is and what it is to do."""

    directory: Path
    namespace: str
    workspace: str | None
    """None when there is no state to keep."""


class TerraformProgram:
    """One Terraform run."""

    def __init__(
        self, layout: Layout, stages: tuple[Stage, ...], environment: Mapping[str, str], variables: Variables
    ) -> None:
        self._layout = layout
        self._reader = OutputReader()
        self._document: list[str] = []
        self.stages = stages
        self.environment = environment
        self.secrets = variables.secrets

    @property
    def outputs(self) -> Sequence[Output]:
        """Output values that are not sensitive."""
        return self._reader.outputs

    @property
    def resources(self) -> Sequence[ResourceChange]:
        """What was done, or planned."""
        return self._reader.resources

    def read(self, stage: str, stream: str, line: str) -> Sequence[str]:
        """Read a line of machine-readable output; standard error is text."""
        if stream == "stdout" and stage == VALIDATE:
            self._document.append(line)  # one document of many lines
            return ()
        if stream == "stdout":
            return self._reader.read(line)
        return (line,) if line.strip() else ()

    def end_stage(self, stage: str, code: int) -> StageEnd:
        """Explain a failed stage; after init, make sure that the state is where it belongs."""
        lines = tuple(self._reader.read_validation("\n".join(self._document))) if stage == VALIDATE else ()
        workspace = self._layout.workspace
        if code != 0:
            failure = explain_failure(
                stage, code, self._reader.errors, namespace=self._layout.namespace, workspace=workspace
            )
            return StageEnd(lines, failure)
        if stage == INIT and workspace is not None:
            place = {"namespace": self._layout.namespace, "workspace": workspace}
            if not state.is_stored_under(self._layout.directory, **place):
                return StageEnd(lines, Failure(EndReason.RUN_FAILED, BACKEND_OVERRIDDEN))
        self._reader.begin_stage()
        return StageEnd(lines)


class Terraform:
    """Makes Terraform runs of jobs."""

    def __init__(self, reader: Reader, *, binary: Path | None, access: state.ClusterAccess) -> None:
        self._reader = reader
        self._binary = binary
        self._access = access

    async def prepare(self, task: Task, directory: Path) -> TerraformProgram:
        """Write the job's files and the backend's into the directory and read the variables."""
        job = task.job
        binary = self._find_binary()
        variables = await read_variables(self._reader, task.model)
        files = await read_files(self._reader, task.model)
        workspace = None
        if job.type is JobType.WORKSPACE_BUILD:
            if job.workspace is None:
                raise UnpreparedError(
                    EndReason.RUN_FAILED, "A WorkspaceBuild needs spec.workspaceRef. Submit it with one."
                )
            workspace = job.workspace
        layout = Layout(directory, job.namespace, workspace)
        await asyncio.to_thread(self._write, layout, files)
        environment = _environment(directory) | context_environment(task.model, variables.values)
        return TerraformProgram(layout, _stages(binary, job), environment, variables)

    def _write(self, layout: Layout, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            (layout.directory / name).write_bytes(content)
        if layout.workspace is None:
            state.write_throwaway_backend(layout.directory)
        else:
            state.write_kubernetes_backend(
                layout.directory, namespace=layout.namespace, workspace=layout.workspace, access=self._access
            )

    def _find_binary(self) -> str:
        wanted = (str(self._binary),) if self._binary else BINARIES
        for name in wanted:
            if found := shutil.which(name):
                return str(Path(found).absolute())
        raise UnpreparedError(
            EndReason.RUN_FAILED,
            f"The daemon has no {' or '.join(wanted)}. Install it in its image, or start the daemon with --terraform PATH.",
        )


def _stages(binary: str, job: Job) -> tuple[Stage, ...]:
    quiet = ("-json", "-input=false")
    plan = Stage(PLAN, (binary, "plan", *quiet, f"-out={_PLAN_FILE}"))
    if job.type is JobType.TEMPLATE_IMPORT:
        return (
            Stage(INIT, (binary, "init", *quiet, "-backend=false")),
            Stage(VALIDATE, (binary, "validate", "-json")),
        )
    if job.type is JobType.TEMPLATE_DRY_RUN:
        return (Stage(INIT, (binary, "init", *quiet)), plan)
    init = Stage(INIT, (binary, "init", *quiet, f"-backend-config={state.BACKEND_SETTINGS_FILE}"))
    apply = (binary, "apply", *quiet, _PLAN_FILE)
    if job.transition is Transition.DELETE:
        return (init, Stage(PLAN, (*plan.arguments, "-destroy")), Stage(DESTROY, apply))
    return (init, plan, Stage(APPLY, apply))


def _environment(directory: Path) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | {
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
