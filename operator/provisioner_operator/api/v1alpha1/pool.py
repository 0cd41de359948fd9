"""ProvisionerPool: a fleet of daemon Pods with the same tags, scaled by its queue, by `kubectl scale`, or by an autoscaler.

The spec is its users'; the status is the controller's. The pool's daemons are Pods that it owns, one ProvisionerDaemon
each.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, Model, ObjectMeta
from provisioner_operator.api.v1alpha1.daemon import CancelGraceSeconds, Capacity, Count, LostAfterSeconds, Provisioners
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import TAG_ANNOTATION_PREFIX
from provisioner_operator.api.v1alpha1.pod_template import PodTemplate
from provisioner_operator.api.v1alpha1.rules import rule, validated_by
from provisioner_operator.api.v1alpha1.tags import TAG_RULES, Tags

MAX_POOL_NAME = 57
"""A Pod's name is the pool's with a dash and five characters, and has to fit a label's value, and a host's name, of 63."""

Replicas = Annotated[int, Field(ge=0, le=1000)]

POOL_RULES = (
    rule(
        f"self.metadata.name.size() <= {MAX_POOL_NAME}",
        f"metadata.name of a pool has at most {MAX_POOL_NAME} characters: its Pods' names are made from it",
    ),
)

SPEC_RULES = (
    rule(
        "self.replicas == 1 || !has(self.autoscaling)",
        "spec.replicas does not go with spec.autoscaling: leave it out; change minReplicas and maxReplicas to scale the pool",
        field="replicas",
        reason="FieldValueForbidden",
    ),
)

TAG_KEY_RULE = rule(
    "self.all(key, !key.contains('/'))",
    f"a tag's key in a pool has no '/': it becomes the name of its Pods' annotation {TAG_ANNOTATION_PREFIX}KEY",
)


class Autoscaling(Model):
    """Lets the operator choose the number of daemons, by the jobs that wait for them and how long runs take."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                "self.minReplicas <= self.maxReplicas",
                "minReplicas is at most maxReplicas",
                field="minReplicas",
            )
        )
    )

    min_replicas: Replicas = 0
    """The fewest daemons, also when there is nothing to do. With 0, the first job waits for a Pod to start."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """The most daemons."""
    target_wait_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """How long a job may wait for a daemon: the shorter, the more daemons for the same queue."""
    scale_down_delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """A daemon goes only when the pool has not needed so many for this long."""


class PoolSpec(Model):
    """How many daemons, what they offer, and what their Pods are like."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    tags: Annotated[Tags, Field(json_schema_extra=validated_by(*TAG_RULES, TAG_KEY_RULE))] = {}
    """What the daemons offer. They run jobs all of whose tags are among these; with no tags, only jobs without tags."""
    provisioners: Provisioners = [Provisioner.TERRAFORM]
    """Which programs the daemons can run."""
    capacity: Capacity = 1
    """How many jobs each daemon runs at a time."""
    lost_after_seconds: LostAfterSeconds = 300
    """After so long without a daemon's heartbeat its running jobs fail with DaemonLost; see ProvisionerDaemon."""
    cancel_grace_seconds: CancelGraceSeconds = 180
    """How long a run may take to stop after it was interrupted, before it is killed."""
    replicas: Replicas = 1
    """How many daemons, where `autoscaling` is absent. `kubectl scale` and autoscalers of the cluster set it."""
    autoscaling: Autoscaling | None = None
    """Scales by the queue between two bounds, if wished down to none; then `replicas` is left out."""
    max_surge: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many daemons beyond those wanted may exist while new ones replace old ones: the more, the faster."""
    template: PodTemplate = PodTemplate()
    """What the Pods have that others need not."""


class PoolStatus(Model):
    """What the pool has and what it is doing."""

    replicas: Count = 0
    """Daemon Pods that exist, without those that ended or were told to end."""
    desired_replicas: Count = 0
    """Daemons wanted now, by `spec.replicas` or by the queue."""
    updated_replicas: Count = 0
    """Of `replicas`, those made from the spec as it is."""
    idle: Count = 0
    """Daemons that are ready and have no job."""
    busy: Count = 0
    """Daemons that have a job."""
    queued: Count = 0
    """Jobs that wait for nothing but a daemon and that this pool's could run."""
    mean_run_seconds: Count | None = None
    """How long runs of late took on this pool's daemons; autoscaling counts with it."""
    selector: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """The pool's Pods as a label selector, for autoscalers."""
    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (as many daemons as wanted, up to date), Reconciling, Stalled (Pods fail). Readable by kstatus."""


class ProvisionerPool(Model):
    """A fleet of provisioner daemons in Pods, all with the same tags.

    `kubectl get pp` tells how many are idle and busy, and how many jobs wait for them. A daemon is removed only when it
    has no job: it is cordoned, drained, then deleted.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*POOL_RULES))

    metadata: ObjectMeta
    """Its name, at most 57 characters, and labels."""
    spec: PoolSpec = PoolSpec()
    """How many daemons, what they offer, and what their Pods are like."""
    status: PoolStatus = PoolStatus(replicas=0)
    """What the pool has and what it is doing. Written by the controller."""
