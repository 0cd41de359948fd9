"""Commands of Terraform that make up a run, by the type of its job. Used by `provisioner`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import JobType, Transition
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Stage
from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.inspection.stage import inspect_stage
from provisioner_operator.daemon.terraform.kept_plan import PLAN_FILE
from provisioner_operator.daemon.terraform.layout import Layout
from provisioner_operator.daemon.terraform.output import OutputReader
from provisioner_operator.daemon.terraform.value_files import ValueFiles

INIT, PLAN, APPLY, DESTROY, VALIDATE = "init", "plan", "apply", "destroy", "validate"
_QUIET = ("-json", "-input=false")


@dataclass(frozen=True, slots=True)
class Commands:
    """Builds the commands of one run."""

    binary: str
    layout: Layout
    values: ValueFiles
    reader: OutputReader
    """Knows from the output of `init` which program runs."""
    options: Sequence[str]
    """Options of commands that work on resources."""

    def stages(self, job: Job) -> Iterator[Stage]:
        """Yield the stages in order; each may depend on the output of those before."""
        match job.type:
            case JobType.TEMPLATE_IMPORT:
                yield self._stage(INIT, "init", *_QUIET, "-backend=false")
                yield self._stage(VALIDATE, "validate", "-json")
                yield inspect_stage(self.layout.directory, self.layout.folder)
            case JobType.TEMPLATE_DRY_RUN:
                yield self._stage(INIT, "init", *_QUIET, *self.values.arguments())
                yield self._plan()
            case JobType.WORKSPACE_BUILD | JobType.WORKSPACE_PLAN:
                backend = [] if self.layout.workspace is None else [f"-backend-config={state.BACKEND_SETTINGS_FILE}"]
                yield self._stage(INIT, "init", *_QUIET, *self.values.arguments(), *backend)
                destroys = job.transition is Transition.DELETE
                if self.layout.approved is None:
                    yield self._plan(*(["-destroy"] if destroys else []))
                if job.type is JobType.WORKSPACE_PLAN:
                    return
                given = self.values.apply_arguments(is_tofu=self.reader.is_tofu)
                yield self._stage(DESTROY if destroys else APPLY, "apply", *_QUIET, *self.options, *given, PLAN_FILE)

    def _plan(self, *further: str) -> Stage:
        arguments = (*_QUIET, *self.options, *self.values.arguments(), f"-out={PLAN_FILE}", *further)
        return self._stage(PLAN, "plan", *arguments)

    def _stage(self, name: str, *arguments: str) -> Stage:
        return Stage(name, (self.binary, *arguments), self.layout.folder)
