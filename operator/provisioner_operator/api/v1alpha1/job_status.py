"""What became of a job: its phase and why, which daemon has it, and what the run did.

Written by the controller (queue, clocks) and by the assigned daemon (run), never at creation. The rules make the API
server the arbiter: whoever is late, mistaken or malicious cannot move a job off its legal path, nor change its end.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, LongText, Model, ObjectName, Uid
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.inputs import VariableName
from provisioner_operator.api.v1alpha1.limits import (
    LONGEST_ADDRESS,
    LONGEST_DECLARATION,
    LONGEST_SUSPENSION_SECONDS,
    LONGEST_TYPE,
    MOST_RESOURCES,
    MOST_VARIABLES,
)
from provisioner_operator.api.v1alpha1.phase_rules import PHASE_RULES
from provisioner_operator.api.v1alpha1.rules import validated_by


class Assignment(Model):
    """Which daemon a job was given to. Its id fences every later write of that daemon."""

    daemon: ObjectName
    """Name of the ProvisionerDaemon."""
    daemon_uid: Annotated[Uid, Field(alias="daemonUID")]
    """UID of the ProvisionerDaemon: a later one of the same name is another daemon."""
    id: Uid
    """Unique to this assignment."""
    time: AwareDatetime
    """When the controller made it."""
    instance: Uid | None = None
    """The daemon process that acknowledged it."""


class StageTiming(Model):
    """How long one stage of the run took."""

    stage: Annotated[str, StringConstraints(max_length=64)]
    """fetch, init, plan, apply, destroy, validate or inspect."""
    started_at: AwareDatetime
    """When the stage began."""
    finished_at: AwareDatetime | None = None
    """When it ended; absent while it runs."""


class Output(Model):
    """An output value of the run. Sensitive ones are left out."""

    name: VariableName
    """The output's name."""
    value: Annotated[str, StringConstraints(max_length=4096)]
    """Its value: text as it is, anything else as JSON."""


class Resource(Model):
    """What the run did to one resource."""

    address: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)]
    """Its address in the configuration, like `terraform_data.disk[0]`."""
    type: Annotated[str, StringConstraints(max_length=LONGEST_TYPE)]
    """Its type, like `terraform_data`."""
    action: Annotated[str, StringConstraints(max_length=32)]
    """create, update, delete, replace, read or no-op; for the import of a template: declare."""


class DeclaredVariable(Model):
    """An input variable that a template's files declare."""

    name: VariableName
    """The variable's name."""
    type: Annotated[str, StringConstraints(max_length=LONGEST_DECLARATION)] = "any"
    """Its type, as Terraform writes it."""
    required: bool = False
    """True when it has no default."""
    sensitive: bool = False
    """True when its value must not be shown."""
    description: Annotated[str, StringConstraints(max_length=LONGEST_DECLARATION)] = ""
    """What it is for."""


class LogArchive(Model):
    """Where the run's log is kept."""

    config_map: ObjectName
    """The ConfigMap, owned by the job, whose key `log` holds it."""
    bytes: Annotated[int, Field(ge=0)]
    """How much the run wrote, in bytes."""
    truncated: bool = False
    """True when the middle was left out because the log exceeded 1 MiB."""


class JobStatus(Model):
    """What became of the job so far."""

    model_config = ConfigDict(json_schema_extra=validated_by(*PHASE_RULES))

    phase: Phase = Phase.PENDING
    """Pending, Running, Canceling, or finally Completed, Failed or Canceled."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Why it is in this phase, in one word: for a pending job what it waits for, for an ended one what ended it."""
    message: LongText | None = None
    """The same in a sentence, with what to do next."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Assigned (why pending), Ready, Stalled, CancelRequested. Readable by kstatus and `kubectl wait`."""
    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    assignment: Assignment | None = None
    """The daemon that is to run the job, or ran it."""
    started_at: AwareDatetime | None = None
    """When the daemon acknowledged the job and began."""
    finished_at: AwareDatetime | None = None
    """When the job reached its final phase."""
    suspended_at: AwareDatetime | None = None
    """Since when the pending job is suspended; absent when it is not."""
    suspended_seconds: Annotated[int, Field(ge=0, le=LONGEST_SUSPENSION_SECONDS)] = 0
    """How long earlier suspensions lasted, all together."""
    stage: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The stage that the run reached."""
    timings: Annotated[
        list[StageTiming], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The stages of the run, in order."""
    outputs: Annotated[
        list[Output],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Output values, without the sensitive ones."""
    resources: Annotated[
        list[Resource], Field(max_length=MOST_RESOURCES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The resources that the run changed or kept; for an import, those that the template declares. At most 256."""
    variables: Annotated[
        list[DeclaredVariable], Field(max_length=MOST_VARIABLES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The input variables that an imported template declares, at most 128."""
    commit: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The commit that was taken from a git source."""
    log: LogArchive | None = None
    """Where the log is archived."""
