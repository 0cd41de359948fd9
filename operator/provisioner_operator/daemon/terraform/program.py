"""One run of Terraform: its stages, the meaning of their output, and what has to be done at its end. Made by `provisioner`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, Transition
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Output, ResourceChange
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Failure, Stage, StageEnd
from provisioner_operator.daemon.git.request import GitRequest
from provisioner_operator.daemon.git.stage import FETCH, FetchReader, fetch_stage
from provisioner_operator.daemon.logs.redaction import Redactor
from provisioner_operator.daemon.terraform.failure import explain_failure
from provisioner_operator.daemon.terraform.inspection.output import InspectReader
from provisioner_operator.daemon.terraform.inspection.stage import INSPECT, inspect_stage
from provisioner_operator.daemon.terraform.job_variables import INPUT_PREFIX
from provisioner_operator.daemon.terraform.kept_plan import PlanKeeper
from provisioner_operator.daemon.terraform.layout import Layout
from provisioner_operator.daemon.terraform.module_access import ModuleAccess, init_stage
from provisioner_operator.daemon.terraform.output import Diagnostic, OutputReader
from provisioner_operator.daemon.terraform.passing_failure import PAUSES_SECONDS, may_pass
from provisioner_operator.daemon.terraform.provider_cache import RunCache
from provisioner_operator.daemon.terraform.run_lock import LOCKED_BY_TERRAFORM, UNLOCKED, RunLock
from provisioner_operator.daemon.terraform.stages import INIT, PLAN, VALIDATE, Commands
from provisioner_operator.daemon.terraform.state_history import StateVersions
from provisioner_operator.daemon.terraform.value_files import UnreadableValueError, ValueFiles


class TerraformProgram:
    """One Terraform run."""

    def __init__(
        self,
        layout: Layout,
        binary: str,
        job: Job,
        environment: Mapping[str, str],
        *,
        parallelism: int | None,
        values: Mapping[str, str],
        secrets: Sequence[str],
        mask: Redactor,
        request: GitRequest | None,
        notices: Sequence[str] = (),
        cache: RunCache | None = None,
        modules: ModuleAccess | None = None,
        versions: StateVersions | None = None,
        lock: RunLock | None = None,
        keeper: PlanKeeper | None = None,
    ) -> None:
        self._layout = layout
        self._modules = modules or ModuleAccess(layout.directory)
        self._versions = versions
        self._lock = lock
        self._keeper = keeper
        self._cache = cache
        self._binary = binary
        self._job = job
        self._parallelism = parallelism
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
        commands = Commands(self._binary, self._layout, self._values, self._reader, self._options())
        for stage in commands.stages(self._job):
            if stage.name == INIT:
                yield init_stage(stage, self.environment, self._cache, self._modules)
            elif stage.name == PLAN:
                yield replace(
                    stage,
                    before=None if self._lock is None else self._lock.acquire,
                    after=None if self._keeper is None else self._keeper.keep,
                )
            elif self._layout.approved is not None:
                before = None if self._lock is None else self._lock.acquire
                yield replace(stage, before=before, environment=self._environment_of_approved())
            else:
                yield stage

    @property
    def summary(self) -> str | None:
        """Changes that the planned build of a workspace would make, in words; None for other jobs."""
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
    def plan_digest(self) -> str | None:
        """The digest of the plan that was kept."""
        return None if self._keeper is None else self._keeper.digest

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
                self._layout.write_own_files()
            return StageEnd(failure=failure)
        lines = tuple(self._reader.read_validation("\n".join(self._document))) if stage == VALIDATE else ()
        if code != 0:
            errors = self._errors()
            if stage == INIT and may_pass(errors) and self._pauses:
                self._reader.begin_stage()
                pause = self._pauses.pop(0)
                return StageEnd((f"This failure may pass: trying again in {pause:.0f} s.",), again_in=pause)
            failure = explain_failure(
                stage,
                code,
                errors,
                namespace=self._layout.namespace,
                workspace=self._layout.workspace,
                in_own_backend=self._layout.own_backend is not None,
            )
            if stage == INIT and (tries := len(PAUSES_SECONDS) - len(self._pauses)):
                failure = replace(failure, message=f"{failure.message} It was tried {tries + 1} times.")
            return StageEnd(lines, failure)
        # Before anything is applied: a state in another place would be lost with the run's directory.
        if stage == INIT and (fault := self._layout.fault()) is not None:
            return StageEnd(lines, Failure(EndReason.RUN_FAILED, fault))
        if stage == INSPECT:
            return self._end_inspection()
        self._reader.begin_stage()
        return StageEnd(lines)

    async def finish(self, *, completed: bool) -> Sequence[str]:
        """Keep the state as a version, or end the versions of a destroyed workspace; release the lock of the state."""
        lines = await self._end_versions(completed=completed)
        return [*lines, *(() if self._lock is None else await self._lock.release(completed=completed))]

    def _environment_of_approved(self) -> Mapping[str, str]:
        """Return the environment for applying an approved plan, which has the values with which it was made.

        Those of the job may differ by now: Terraform ignores them, OpenTofu would refuse them.
        """
        if not self._reader.is_tofu:
            return self.environment
        return {name: value for name, value in self.environment.items() if not name.startswith(INPUT_PREFIX)}

    def _options(self) -> Sequence[str]:
        """Return the options of commands that work on resources."""
        options = [] if self._parallelism is None else [f"-parallelism={self._parallelism}"]
        if self._job.type is JobType.WORKSPACE_PLAN:
            # Builds go on meanwhile: a plan must neither wait for their lock nor make them wait.
            options.append(UNLOCKED)
        elif self._layout.workspace is not None:
            options.append(LOCKED_BY_TERRAFORM if self._lock is None else UNLOCKED)
        return options

    async def _end_versions(self, *, completed: bool) -> Sequence[str]:
        if self._versions is None:
            return ()
        if completed and self._job.transition is Transition.DELETE:
            return await self._versions.end()
        return await self._versions.keep("after")

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
