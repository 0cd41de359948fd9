"""ProvisionerPool: a fleet of daemon Pods with the same tags, scaled by its queue or by `spec.replicas`.

Users write the spec, the controller the status. The pool owns the Pods of its daemons; each has a ProvisionerDaemon.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, Model, ObjectMeta
from provisioner_operator.api.v1alpha1.daemon import CancelGraceSeconds, Capacity, Count, LostAfterSeconds, Provisioners
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import TAG_ANNOTATION_PREFIX
from provisioner_operator.api.v1alpha1.pod_template import PodTemplate
from provisioner_operator.api.v1alpha1.rules import of_the_name, rule, validated_by
from provisioner_operator.api.v1alpha1.tags import TAG_RULES, Tags, each_key
from provisioner_operator.api.v1alpha1.unseen import not_observed

MAX_POOL_NAME = 57
"""Characters of a pool's name. A Pod's name adds a dash and five characters, and has to fit a label's value, and a host
name, of 63."""

Replicas = Annotated[int, Field(ge=0, le=1000)]

POOL_RULES = (
    of_the_name(
        f"self.metadata.name.size() <= {MAX_POOL_NAME}",
        f"metadata.name of a pool has at most {MAX_POOL_NAME} characters, because the names of its Pods begin with it",
    ),
)

SPEC_RULES = (
    rule(
        "self.replicas == 1 || !has(self.autoscaling)",
        "spec.replicas cannot be set together with spec.autoscaling: leave it out, and scale the pool with minReplicas and maxReplicas",
        field="replicas",
        reason="FieldValueForbidden",
    ),
)

TAG_KEY_RULE = each_key(
    "!key.contains('/')",
    f"a tag's key in a pool cannot contain '/', because its Pods carry it in the annotation {TAG_ANNOTATION_PREFIX}KEY",
)


class Autoscaling(Model):
    """Limits within which the operator chooses the number of daemons, by the waiting jobs and the duration of runs."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                "self.minReplicas <= self.maxReplicas",
                "minReplicas cannot be larger than maxReplicas",
                field="minReplicas",
            )
        )
    )

    min_replicas: Replicas = 0
    """Minimum number of daemons, even if there is nothing to do. With 0, the first job waits for a Pod to start."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Maximum number of daemons."""
    target_wait_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """Time that a job may wait for a daemon: the shorter it is, the more daemons the same queue gets."""
    scale_down_delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """Time for which the pool must have needed fewer daemons before one is removed."""


class PoolSpec(Model):
    """Number of daemons, the tags and programs that they offer, and the settings of their Pods."""

    model_config = ConfigDict(json_schema_extra=validated_by(*SPEC_RULES))

    tags: Annotated[Tags, Field(json_schema_extra=validated_by(*TAG_RULES, TAG_KEY_RULE))] = {}
    """Tags that the daemons offer. They run a job if all the job's tags are among them; without tags, only jobs without
    tags."""
    provisioners: Provisioners = [Provisioner.TERRAFORM]
    """Programs that the daemons can run."""
    capacity: Capacity = 1
    """Number of jobs that each daemon runs at a time."""
    lost_after_seconds: LostAfterSeconds = 300
    """Time without a daemon's heartbeat after which its running jobs fail with DaemonLost; see ProvisionerDaemon."""
    cancel_grace_seconds: CancelGraceSeconds = 180
    """Time that a run may take to stop after it was interrupted, before it is killed."""
    replicas: Replicas = 1
    """Number of daemons if `autoscaling` is absent. `kubectl scale` and the cluster's autoscalers set it."""
    autoscaling: Autoscaling | None = None
    """Scales the pool by its queue, between two bounds, down to zero if minReplicas is 0. Leave `replicas` out then."""
    max_surge: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of daemons that may exist beyond the desired number while new ones replace old ones: the higher, the
    faster."""
    template: PodTemplate = PodTemplate()
    """Settings of the Pods."""


class PoolStatus(Model):
    """Daemons and queue of the pool, and its progress toward the spec."""

    replicas: Count = 0
    """Number of daemon Pods, except for those that have ended or are terminating."""
    desired_replicas: Count = 0
    """Desired number of daemons, from `spec.replicas` or by the queue."""
    updated_replicas: Count = 0
    """Number of those `replicas` that were made from the current spec."""
    idle: Count = 0
    """Number of daemons that are ready and have no job."""
    busy: Count = 0
    """Number of daemons that have a job."""
    queued: Count = 0
    """Number of jobs that wait only for a daemon and that this pool's daemons could run."""
    mean_run_seconds: Count | None = None
    """Mean duration of recent runs on this pool's daemons, used by autoscaling."""
    start_seconds: Annotated[list[Count], Field(max_length=20)] = []
    """Time that the last new daemons took to be ready, from the creation of their Pods; the newest last. Estimates of
    the wait rest on it."""
    selector: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """Label selector of the pool's Pods, for autoscalers."""
    observed_generation: int | None = None
    """Generation of the spec on which this status is based."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (the desired number of daemons is ready and up to date), Reconciling, Stalled (Pods fail). kstatus can read
    them."""


class ProvisionerPool(Model):
    """A fleet of provisioner daemons in Pods, all with the same tags.

    `kubectl get pp` shows how many daemons are idle and busy, and how many jobs wait for them. A daemon is removed only
    once it has no job: it is cordoned, drained, then deleted.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*POOL_RULES))

    metadata: ObjectMeta
    """Its name, at most 57 characters, and labels."""
    spec: PoolSpec = PoolSpec()
    """Number of daemons, the tags and programs that they offer, and the settings of their Pods."""
    status: PoolStatus = PoolStatus(replicas=0, conditions=not_observed("pool"))
    """Daemons and queue of the pool, and its progress toward the spec. Written by the controller."""
