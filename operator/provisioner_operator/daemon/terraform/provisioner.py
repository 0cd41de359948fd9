"""Run Terraform jobs: init, plan, apply (destroy for Delete) with `terraform` or `tofu`.

The `kubernetes` backend keeps one state for each workspace. A TemplateImport is initialized without state, validated and
inspected; a TemplateDryRun is planned without state; a WorkspacePlan reads the state, and neither locks nor writes it. Files from git are fetched by a stage of their own, before all others;
the others run in the folder of the checkout that the source names. Values of variables reach the program in its environment;
those that a file of the source may set too also in a file that takes precedence (`value_files`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, Transition
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.pod_environment import PROVIDER_CACHE_VARIABLE
from provisioner_operator.core.daemons.run_environment import RunEnvironment
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Output, ResourceChange
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.child_environment import LOCALE, NETWORK, passed_on
from provisioner_operator.daemon.execution.leftovers import explain_leftover, is_leftover
from provisioner_operator.daemon.execution.provisioner import Failure, Stage, StageEnd, Task, UnpreparedError
from provisioner_operator.daemon.git.request import REPOSITORY, GitRequest
from provisioner_operator.daemon.git.stage import FETCH, FetchReader, fetch_stage
from provisioner_operator.daemon.inputs.objects import Reader
from provisioner_operator.daemon.inputs.source import read_files, read_git_request
from provisioner_operator.daemon.inputs.variables import read_variables
from provisioner_operator.daemon.logs.redaction import Redactor
from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.binary import MissingProgramError, find_binary
from provisioner_operator.daemon.terraform.failure import BACKEND_OVERRIDDEN, explain_failure
from provisioner_operator.daemon.terraform.inspect_stage import INSPECT, InspectReader, inspect_stage
from provisioner_operator.daemon.terraform.job_variables import context_environment, input_variables
from provisioner_operator.daemon.terraform.output import Diagnostic, OutputReader
from provisioner_operator.daemon.terraform.passing_failure import PAUSES_SECONDS, may_pass
from provisioner_operator.daemon.terraform.provider_cache import (
    WITHOUT_LOCK_FILE_VARIABLE,
    ProviderStore,
    RunCache,
)
from provisioner_operator.daemon.terraform.stored_state import workspace_with_state
from provisioner_operator.daemon.terraform.value_files import UnreadableValueError, ValueFiles

INIT, PLAN, APPLY, DESTROY, VALIDATE = "init", "plan", "apply", "destroy", "validate"
_PLAN_FILE = "provisioner.tfplan"
_OWN = (
    "TF_CLI_CONFIG_FILE",
    *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"),  # without these there is no in-cluster configuration
)
"""The variables of the daemon's environment that Terraform always inherits, besides those that the daemon is told to pass on.
None of Coder's (CODER_*): the job alone describes itself to its template, the same on every daemon."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one run's files and its state."""

    directory: Path
    folder: str
    """The folder in which Terraform runs, relative to the run's directory."""
    namespace: str
    workspace: str | None
    """None when there is no state to keep."""
    access: state.ClusterAccess

    @property
    def module(self) -> Path:
        """The folder in which Terraform runs."""
        return self.directory / self.folder

    def write_backend(self) -> None:
        """Configure the backend of the workspace's state, or a throwaway one."""
        if self.workspace is None:
            state.write_throwaway_backend(self.module)
        else:
            state.write_kubernetes_backend(
                self.module, namespace=self.namespace, workspace=self.workspace, access=self.access
            )

    def keeps_state(self) -> bool:
        """Return whether the initialized configuration uses that backend; true when there is no state to keep."""
        return self.workspace is None or state.is_stored_under(
            self.module, namespace=self.namespace, workspace=self.workspace
        )


class TerraformProgram:
    """One Terraform run."""

    def __init__(
        self,
        layout: Layout,
        binary: str,
        job: Job,
        environment: Mapping[str, str],
        *,
        values: Mapping[str, str],
        secrets: Sequence[str],
        mask: Redactor,
        request: GitRequest | None,
        notices: Sequence[str] = (),
        cache: RunCache | None = None,
    ) -> None:
        self._layout = layout
        self._cache = cache
        self._binary = binary
        self._job = job
        self._values = ValueFiles(layout.module, layout.directory, values)
        self._reader = OutputReader()
        self._request = request
        self._fetched = None if request is None else FetchReader(request)
        self._inspected = InspectReader()
        self._document: list[str] = []
        self._pauses = list(PAUSES_SECONDS)
        """Those that are left before further tries of `init`."""
        self.environment = environment
        self.secrets = secrets
        self._mask = mask
        self.notices = notices

    @property
    def stages(self) -> Iterator[Stage]:
        """The commands, each decided when the one before has ended: some depend on the files that were fetched."""
        if self._request is not None:
            yield fetch_stage(self._request, self._layout.directory)
        if not self._imports and self._values.search():
            yield inspect_stage(self._layout.directory, self._layout.folder)
        for stage in _stages(self._binary, self._job, self._layout, self._values, self._reader):
            if stage.name == INIT and self._cache is not None:
                environment = {**self.environment, **self._cache.settings()}
                yield replace(stage, environment=environment, around=self._cache.during_init)
            else:
                yield stage

    @property
    def summary(self) -> str | None:
        """What the planned build of a workspace would change."""
        only_plans = self._job.type is JobType.WORKSPACE_PLAN
        return self._reader.plan.summary(self._job.transition or Transition.START) if only_plans else None

    @property
    def outputs(self) -> Sequence[Output]:
        """Output values that are not sensitive."""
        return self._reader.outputs

    @property
    def resources(self) -> Sequence[ResourceChange]:
        """The changes made or planned, or the resources declared."""
        if self._job.type is JobType.WORKSPACE_PLAN:
            return self._reader.plan.resources
        return self._reader.resources or (self._inspected.resources if self._imports else ())

    @property
    def variables(self) -> Sequence[DeclaredVariable]:
        """The variables that an imported template declares."""
        return self._inspected.variables if self._imports else ()

    @property
    def commit(self) -> str | None:
        """The commit that was fetched from a git source."""
        return None if self._fetched is None else self._fetched.commit

    def read(self, stage: str, stream: str, line: str) -> Sequence[str] | None:
        """Read a line of machine-readable output; standard error is text."""
        if stage == FETCH and self._fetched is not None:
            return self._fetched.read(stream, line)
        if stream == "stdout" and stage == INSPECT:
            return self._inspected.read(line)
        if stream == "stdout" and stage == VALIDATE:
            self._document.append(line)  # one document of many lines
            return ()
        if stream == "stdout":
            return self._reader.read(line)
        return (line,) if line.strip() else None

    def end_stage(self, stage: str, code: int) -> StageEnd:
        """Explain a failed stage; configure the backend before `init`, and verify it after."""
        if stage == FETCH and self._fetched is not None:
            failure = self._fetched.failure(code)
            if failure is None:
                # Over whatever the repository has under these names.
                self._layout.write_backend()
            return StageEnd(failure=failure)
        lines = tuple(self._reader.read_validation("\n".join(self._document))) if stage == VALIDATE else ()
        if code != 0:
            errors = self._errors()
            if stage == INIT and may_pass(errors) and self._pauses:
                self._reader.begin_stage()
                pause = self._pauses.pop(0)
                return StageEnd((f"This failure may pass: trying again in {pause:.0f} s.",), again_in=pause)
            failure = explain_failure(
                stage, code, errors, namespace=self._layout.namespace, workspace=self._layout.workspace
            )
            if stage == INIT and (tries := len(PAUSES_SECONDS) - len(self._pauses)):
                failure = replace(failure, message=f"{failure.message} It was tried {tries + 1} times.")
            return StageEnd(lines, failure)
        # Before anything is applied: a state in another place would be lost with the run's directory.
        if stage == INIT and not self._layout.keeps_state():
            return StageEnd(lines, Failure(EndReason.RUN_FAILED, BACKEND_OVERRIDDEN))
        if stage == INSPECT:
            return self._end_inspection()
        self._reader.begin_stage()
        return StageEnd(lines)

    def _errors(self) -> Sequence[Diagnostic]:
        # Masked before a message cuts them: half a secret would not be recognized.
        return [replace(each, detail=self._mask(each.detail)) for each in self._reader.errors]

    def _end_inspection(self) -> StageEnd:
        if self._imports:
            return StageEnd((self._inspected.summary(),))
        try:
            return StageEnd(self._values.write(self._inspected.syntax))
        except UnreadableValueError as error:
            return StageEnd(failure=Failure(EndReason.VARIABLE_UNAVAILABLE, str(error)))

    @property
    def _imports(self) -> bool:
        return self._job.type is JobType.TEMPLATE_IMPORT


class Terraform:
    """Turns jobs into Terraform runs."""

    def __init__(
        self,
        reader: Reader,
        *,
        binary: Path | None,
        access: state.ClusterAccess,
        passed: RunEnvironment = RunEnvironment(),  # noqa: B008 - frozen
        store: ProviderStore | None = None,
    ) -> None:
        self._reader = reader
        self._binary = binary
        self._access = access
        self._passed = passed
        self._store = store

    async def prepare(self, task: Task, directory: Path) -> TerraformProgram:
        """Read the variables, and write the job's files and the backend's, unless a stage is to fetch them."""
        job = task.job
        try:
            binary = find_binary(self._binary)
        except MissingProgramError as error:
            raise UnpreparedError(EndReason.RUN_FAILED, str(error)) from error
        variables = await read_variables(self._reader, task.model)
        workspace = await workspace_with_state(self._reader, job)
        request = await self._read_git_request(task.model)
        folder = "." if request is None else f"{REPOSITORY}/{request.path}"
        layout = Layout(directory, folder, job.namespace, workspace, self._access)
        notices: list[str] = []
        if request is None:
            files = await read_files(self._reader, task.model)
            notices += [explain_leftover(name) for name in files if is_leftover(name)]
            await asyncio.to_thread(_write, layout, files)
        cache = None if self._store is None else RunCache(self._store, directory, layout.module, (state.BACKEND_FILE,))
        secrets = (*variables.secrets, *_login(request), *self._passed.secrets)
        context = context_environment(task.model, variables.values)
        return TerraformProgram(
            layout,
            binary,
            job,
            # The job last: its values replace those of the daemon.
            self._environment(directory, cache) | context,
            values=input_variables(context),
            secrets=secrets,
            mask=await asyncio.to_thread(Redactor, secrets),
            request=request,
            notices=notices,
            cache=cache,
        )

    def _environment(self, directory: Path, cache: RunCache | None) -> dict[str, str]:
        inherited = passed_on(LOCALE, NETWORK, _OWN) | dict(self._passed.values)
        # Runs would write over each other's providers in a cache that they share.
        for name in (PROVIDER_CACHE_VARIABLE, WITHOUT_LOCK_FILE_VARIABLE):
            inherited.pop(name, None)
        own = {} if cache is None else {PROVIDER_CACHE_VARIABLE: str(cache.path)}
        return (
            inherited
            | own
            | {
                "HOME": str(directory),
                "TMPDIR": str(directory),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
            }
        )

    async def _read_git_request(self, model: ProvisionerJob) -> GitRequest | None:
        source = model.spec.source
        if source is None or source.git is None:
            return None
        return await read_git_request(self._reader, model, source.git)


def _write(layout: Layout, files: Mapping[str, bytes]) -> None:
    try:
        for name, content in files.items():
            if not is_leftover(name):
                _write_file(layout.module / name, content)
        layout.write_backend()
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise UnpreparedError(
            EndReason.SOURCE_UNAVAILABLE, f"The source's files cannot be written: {error}. Rename that file."
        ) from error


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # Neither a ConfigMap nor an inline file has a mode; templates run such files (`local-exec`, `external`).
    if content.startswith(b"#!"):
        path.chmod(path.stat().st_mode | 0o111)


def _login(request: GitRequest | None) -> Sequence[str]:
    return () if request is None or request.credentials is None else request.credentials.hidden


def _stages(binary: str, job: Job, layout: Layout, values: ValueFiles, reader: OutputReader) -> Iterator[Stage]:
    def stage(name: str, *arguments: str) -> Stage:
        return Stage(name, (binary, *arguments), layout.folder)

    quiet = ("-json", "-input=false")
    plan = ("plan", *quiet, *values.arguments(), f"-out={_PLAN_FILE}")
    match job.type:
        case JobType.TEMPLATE_IMPORT:
            yield stage(INIT, "init", *quiet, "-backend=false")
            yield stage(VALIDATE, "validate", "-json")
            yield inspect_stage(layout.directory, layout.folder)
        case JobType.TEMPLATE_DRY_RUN:
            yield stage(INIT, "init", *quiet, *values.arguments())
            yield stage(PLAN, *plan)
        case JobType.WORKSPACE_BUILD | JobType.WORKSPACE_PLAN:
            backend = [] if layout.workspace is None else [f"-backend-config={state.BACKEND_SETTINGS_FILE}"]
            yield stage(INIT, "init", *quiet, *values.arguments(), *backend)
            destroys = job.transition is Transition.DELETE
            only_plans = job.type is JobType.WORKSPACE_PLAN
            # Builds go on meanwhile: a plan must neither wait for their lock nor make them wait.
            yield stage(PLAN, *plan, *(["-destroy"] if destroys else []), *(["-lock=false"] if only_plans else []))
            if only_plans:
                return
            given = values.apply_arguments(is_tofu=reader.is_tofu)
            yield stage(DESTROY if destroys else APPLY, "apply", *quiet, *given, _PLAN_FILE)
