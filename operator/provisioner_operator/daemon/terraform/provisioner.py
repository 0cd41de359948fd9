"""Prepare Terraform runs: init, plan, apply (destroy for Delete) with `terraform` or `tofu`.

The `kubernetes` backend keeps one state for each workspace. A TemplateImport is initialized without state, validated and
inspected; a TemplateDryRun is planned without state; a WorkspacePlan reads the state, and neither locks nor writes it. Files
from git are fetched by a stage of their own, before all others; the others run in the folder of the checkout that the source
names. Values of variables reach the program in its environment; those that a file of the source may set too also in a file that
takes precedence (`value_files`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType, StateBackend
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.pod_environment import PROVIDER_CACHE_VARIABLE
from provisioner_operator.core.daemons.run_environment import RunEnvironment
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.child_environment import LOCALE, NETWORK, passed_on
from provisioner_operator.daemon.execution.leftovers import explain_leftover, is_leftover
from provisioner_operator.daemon.execution.provisioner import Task, UnpreparedError
from provisioner_operator.daemon.execution.unsaved_state import RunRecord, write_record
from provisioner_operator.daemon.git.request import REPOSITORY, GitRequest
from provisioner_operator.daemon.inputs.backend_config import read_backend_config
from provisioner_operator.daemon.inputs.logins import read_module_logins
from provisioner_operator.daemon.inputs.source import read_files, read_git_request
from provisioner_operator.daemon.inputs.variables import read_variables
from provisioner_operator.daemon.logs.redaction import Redactor
from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.binaries.binary import Binaries, MissingProgramError
from provisioner_operator.daemon.terraform.job_variables import context_environment, input_variables
from provisioner_operator.daemon.terraform.kept_plan import KeptPlan, PlanKeeper, read_kept_plan
from provisioner_operator.daemon.terraform.layout import Layout
from provisioner_operator.daemon.terraform.left_state import require_no_state_in_secrets
from provisioner_operator.daemon.terraform.module_access import ModuleAccess, git_environment
from provisioner_operator.daemon.terraform.program import TerraformProgram
from provisioner_operator.daemon.terraform.provider_cache import WITHOUT_LOCK_FILE_VARIABLE, ProviderStore, RunCache
from provisioner_operator.daemon.terraform.run_lock import RunLock, StateLocks
from provisioner_operator.daemon.terraform.source_files import write_files
from provisioner_operator.daemon.terraform.state_history import Client, StateVersions
from provisioner_operator.daemon.terraform.stored_state import workspace_with_state
from provisioner_operator.daemon.terraform.template_backend import TemplateBackend

_OWN = (
    "TF_CLI_CONFIG_FILE",
    *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"),  # without these there is no in-cluster configuration
)
"""The variables of the daemon's environment that Terraform always inherits, besides those that the daemon is told to pass on.
None of Coder's (CODER_*): the job alone describes itself to its template, the same on every daemon."""


class Terraform:
    """Turns jobs into Terraform runs."""

    def __init__(
        self,
        client: Client,
        *,
        binaries: Binaries,
        access: state.ClusterAccess,
        passed: RunEnvironment = RunEnvironment(),  # noqa: B008 - frozen
        store: ProviderStore | None = None,
        locks: StateLocks | None = None,
    ) -> None:
        """Take what all runs share; without `locks`, Terraform locks states itself."""
        self._client = client
        self._binaries = binaries
        self._access = access
        self._passed = passed
        self._store = store
        self._locks = locks

    async def prepare(self, task: Task, directory: Path) -> TerraformProgram:
        """Read the variables, and write the job's files and the backend's, unless a stage is to fetch them."""
        job = task.job
        try:
            binary = await asyncio.to_thread(self._binaries.find, task.model.spec.terraform_version)
        except MissingProgramError as error:
            raise UnpreparedError(EndReason.RUN_FAILED, str(error)) from error
        variables = await read_variables(self._client, task.model)
        workspace = await workspace_with_state(self._client, task)
        context = context_environment(task.model, variables.values)
        own, hidden = await self._read_backend(task.model, workspace, input_variables(context))
        request = await self._read_git_request(task.model)
        folder = "." if request is None else f"{REPOSITORY}/{request.path}"
        layout = Layout(directory, folder, job.namespace, workspace, self._access, own, *await self._plans(task))
        notices = [] if request is not None else await self._write_source(task.model, layout)
        await asyncio.to_thread(_write_record, layout, job, binary)
        cache = None if self._store is None else RunCache(self._store, directory, layout.module, (state.BACKEND_FILE,))
        modules = ModuleAccess(directory, await read_module_logins(self._client, task.model))
        versions = self._versions_of(layout, job)
        # Also before the run: whatever it does, one can go back to the state that it found.
        notices += await versions.keep("before") if versions is not None else ()
        secrets = (*variables.secrets, *hidden, *_login(request), *modules.secrets, *self._passed.secrets)
        return TerraformProgram(
            layout,
            binary,
            job,
            # The job last: its values replace those of the daemon.
            self._environment(directory, cache) | context,
            parallelism=task.model.spec.parallelism,
            values=input_variables(context),
            secrets=secrets,
            mask=await asyncio.to_thread(Redactor, secrets),
            request=request,
            notices=notices,
            cache=cache,
            modules=modules,
            versions=versions,
            lock=self._lock_of(layout, job),
            keeper=PlanKeeper(self._client, job, layout.module) if layout.keeps_plan else None,
        )

    async def _plans(self, task: Task) -> tuple[bool, KeptPlan | None]:
        """Return whether the run keeps its plan, and the approved plan that it applies instead of one of its own."""
        spec = task.model.spec
        approved = None if spec.plan_ref is None else await read_kept_plan(self._client, task.job, spec.plan_ref)
        return spec.keep_plan, approved

    async def _write_source(self, model: ProvisionerJob, layout: Layout) -> list[str]:
        """Write the files of a source that is in the cluster, and return what to tell about them."""
        files = await read_files(self._client, model)
        await asyncio.to_thread(_write, layout, files)
        return [explain_leftover(name) for name in files if is_leftover(name)]

    def _lock_of(self, layout: Layout, job: Job) -> RunLock | None:
        """Return the lock of the job's state; None if it changes no state, or keeps it in a backend that has locks of its own."""
        if layout.own_backend is not None or self._locks is None or _written_state(layout, job) is None:
            return None
        return self._locks.lock_for(job)

    def _versions_of(self, layout: Layout, job: Job) -> StateVersions | None:
        """Return the versions of the job's state; None if it changes no state, or keeps it in a backend of its own."""
        workspace = _written_state(layout, job)
        if layout.own_backend is not None or workspace is None:
            return None
        return StateVersions(self._client, namespace=job.namespace, workspace=workspace, job=job.name)

    def _environment(self, directory: Path, cache: RunCache | None) -> dict[str, str]:
        inherited = passed_on(LOCALE, NETWORK, _OWN) | dict(self._passed.values)
        # Runs would write over each other's providers in a cache that they share.
        for name in (PROVIDER_CACHE_VARIABLE, WITHOUT_LOCK_FILE_VARIABLE):
            inherited.pop(name, None)
        own = {} if cache is None else {PROVIDER_CACHE_VARIABLE: str(cache.path)}
        return (
            dict(git_environment(inherited))
            | inherited
            | own
            | {
                "HOME": str(directory),
                "TMPDIR": str(directory),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
            }
        )

    async def _read_backend(
        self, model: ProvisionerJob, workspace: str | None, values: Mapping[str, str]
    ) -> tuple[TemplateBackend | None, Sequence[str]]:
        """Return the backend that the files name, if the state is kept there, and the secrets among its settings."""
        if workspace is None or model.spec.state is None or model.spec.state.backend is not StateBackend.TEMPLATE:
            return None, ()
        await require_no_state_in_secrets(self._client, namespace=model.metadata.namespace, workspace=workspace)
        settings = await read_backend_config(self._client, model, values)
        return TemplateBackend(settings.values), settings.secrets

    async def _read_git_request(self, model: ProvisionerJob) -> GitRequest | None:
        source = model.spec.source
        if source is None or source.git is None:
            return None
        return await read_git_request(self._client, model, source.git)


def _written_state(layout: Layout, job: Job) -> str | None:
    """Return the workspace whose state the job changes; None for a job that changes none."""
    return layout.workspace if job.type is JobType.WORKSPACE_BUILD else None


def _write(layout: Layout, files: Mapping[str, bytes]) -> None:
    try:
        write_files(layout.module, files)
        layout.write_own_files()
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise UnpreparedError(
            EndReason.SOURCE_UNAVAILABLE, f"The source's files cannot be written: {error}. Rename that file."
        ) from error


def _write_record(layout: Layout, job: Job, binary: str) -> None:
    if (workspace := _written_state(layout, job)) is not None:
        where = (layout.namespace, workspace)
        record = RunRecord(*where, job.name, job.uid, binary, layout.folder)
        write_record(layout.directory, record)


def _login(request: GitRequest | None) -> Sequence[str]:
    return () if request is None or request.credentials is None else request.credentials.hidden
