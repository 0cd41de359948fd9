"""Progress and result of a job: its phase and reason, its daemon, and the effects of the run.

Written by the controller (queue, timeouts) and by the assigned daemon (run), never at creation. The API server enforces
the rules: a late, mistaken or malicious writer can neither take an illegal step nor change how a job ended.
"""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, LongText, Model, ObjectName, PlanDigest, Uid
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.inputs import VariableName
from provisioner_operator.api.v1alpha1.limits import (
    LONGEST_ADDRESS,
    LONGEST_DECLARATION,
    LONGEST_OUTPUT,
    LONGEST_SUSPENSION_SECONDS,
    LONGEST_TYPE,
    MOST_OUTPUTS,
    MOST_RESOURCES,
    MOST_VARIABLES,
)
from provisioner_operator.api.v1alpha1.phase_rules import END_RULE, STATUS_RULES, STEP_RULE
from provisioner_operator.api.v1alpha1.rules import validated_by


class Assignment(Model):
    """Assignment of a job to a daemon. Its id is the precondition of every later write of that daemon."""

    daemon: ObjectName
    """Name of the ProvisionerDaemon."""
    daemon_uid: Annotated[Uid, Field(alias="daemonUID")]
    """UID of the ProvisionerDaemon: a later object with the same name is another daemon."""
    pod_uid: Annotated[Uid | None, Field(alias="podUID")] = None
    """UID of the Pod that is the daemon, absent for a daemon outside the cluster: no other Pod's token may report on the job."""
    id: Uid
    """Id of this assignment, unique."""
    time: AwareDatetime
    """Time at which the controller made the assignment."""
    instance: Uid | None = None
    """Id of the daemon process that acknowledged the assignment."""


class StageTiming(Model):
    """Start and end of one stage of the run."""

    stage: Annotated[str, StringConstraints(max_length=64)]
    """fetch, init, plan, apply, destroy, validate or inspect."""
    started_at: AwareDatetime
    """Start of the stage."""
    finished_at: AwareDatetime | None = None
    """End of the stage; absent while it runs."""


class Output(Model):
    """An output value of the run. Sensitive values are left out."""

    name: VariableName
    """The output's name."""
    value: Annotated[str, StringConstraints(max_length=LONGEST_OUTPUT)]
    """Its value: text as it is, anything else as JSON."""


class Resource(Model):
    """Effect of the run on one resource."""

    address: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)]
    """Its address in the configuration, such as `terraform_data.disk[0]`."""
    type: Annotated[str, StringConstraints(max_length=LONGEST_TYPE)]
    """Its type, such as `terraform_data`."""
    action: Annotated[str, StringConstraints(max_length=32)]
    """create, update, delete, replace, read or no-op, and what else Terraform calls it; for the import of a template: declare."""


class DeclaredVariable(Model):
    """An input variable that a template's files declare."""

    name: VariableName
    """The variable's name."""
    type: Annotated[str, StringConstraints(max_length=LONGEST_DECLARATION)] = "any"
    """Its type, as Terraform writes it."""
    required: bool = False
    """True if it has no default, and no file of the source (`*.auto.tfvars`) sets it."""
    sensitive: bool = False
    """True if its value must not be shown."""
    description: Annotated[str, StringConstraints(max_length=LONGEST_DECLARATION)] = ""
    """Its purpose."""


class LogArchive(Model):
    """Location of the run's log."""

    config_map: ObjectName
    """The ConfigMap, owned by the job, whose key `log` holds the log."""
    bytes: Annotated[int, Field(ge=0)]
    """Number of bytes that the run wrote."""
    truncated: bool = False
    """True if the middle is missing because the log exceeded 1 MiB."""


class JobStatus(Model):
    """Progress and result of the job."""

    model_config = ConfigDict(json_schema_extra=validated_by(*STATUS_RULES))

    phase: Annotated[Phase, Field(json_schema_extra=validated_by(STEP_RULE))] = Phase.PENDING
    """Pending, Running, Canceling, or finally Completed, Failed or Canceled."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Reason for the phase, in one word: what a pending job waits for, or what ended an ended one."""
    message: LongText | None = None
    """The reason in a sentence, with what to do next."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Assigned (with the reason why the job is pending), Ready, Stalled, CancelRequested. kstatus and `kubectl wait`
    can read them."""
    observed_generation: int | None = None
    """Generation of the spec on which this status is based."""
    assignment: Assignment | None = None
    """The daemon that runs, will run, or ran the job."""
    started_at: AwareDatetime | None = None
    """Time at which the daemon acknowledged the job and started the run."""
    finished_at: Annotated[AwareDatetime, Field(json_schema_extra=validated_by(END_RULE))] | None = None
    """Time at which the job reached its final phase."""
    suspended_at: AwareDatetime | None = None
    """Time since which the pending job is suspended; absent if it is not."""
    suspended_seconds: Annotated[int, Field(ge=0, le=LONGEST_SUSPENSION_SECONDS)] = 0
    """Total duration of earlier suspensions."""
    stage: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The last stage of the run, written at its end."""
    timings: Annotated[
        list[StageTiming], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The stages of the run, in order."""
    outputs: Annotated[
        list[Output],
        Field(
            max_length=MOST_OUTPUTS,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    """Output values, except for sensitive ones."""
    resources: Annotated[
        list[Resource], Field(max_length=MOST_RESOURCES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Resources that the run changed or kept; for a plan, those that a build would change, the most destructive changes
    first; for an import, those that the template declares. At most 256."""
    variables: Annotated[
        list[DeclaredVariable], Field(max_length=MOST_VARIABLES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Input variables that an imported template declares, at most 128."""
    commit: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The commit of a git source that was used."""
    plan_digest: PlanDigest | None = None
    """Digest of the plan that a job with spec.keepPlan keeps."""
    log: LogArchive | None = None
    """Location of the log archive."""
