"""ProvisionerQueue: the policy by which the waiting jobs of a namespace start, and its ended ones are kept.

Its administrators write the spec, the controller the status. One in a namespace counts, and has the name `default`.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Condition, Model, ObjectMeta, UserName
from provisioner_operator.api.v1alpha1.daemon import Count
from provisioner_operator.api.v1alpha1.enums import BackgroundWork, GroupField, Transition
from provisioner_operator.api.v1alpha1.limits import MOST_QUEUE_GROUPS
from provisioner_operator.api.v1alpha1.names import QUEUE_NAME
from provisioner_operator.api.v1alpha1.rules import Rule, rule, validated_by
from provisioner_operator.api.v1alpha1.tags import TagValue
from provisioner_operator.api.v1alpha1.unseen import not_observed

MOST_KEPT = 100_000
"""Largest number of ended jobs that a history may name."""
OTHERS = "*"
"""Name in the weights that stands for all groups that are not named."""

QUEUE_RULES = (
    rule(
        f"self.metadata.name == '{QUEUE_NAME}'",
        f"a namespace has one ProvisionerQueue, and its name is {QUEUE_NAME}",
        field="metadata.name",
    ),
)

_SOME_NUMBER = rule(
    "has(self.completed) || has(self.failed) || has(self.perWorkspace)",
    "history needs at least one of completed, failed and perWorkspace",
)

GroupName = Annotated[str, StringConstraints(max_length=253)]
LabelName = Annotated[str, StringConstraints(min_length=1, max_length=317)]


def _label_rule(field: str) -> Rule:
    named = f"has(self.{field}) && self.{field} == '{GroupField.LABEL}'"
    return rule(
        f"({named}) == has(self.label)",
        f"label is required when {field} is {GroupField.LABEL}, and not used otherwise",
        field="label",
    )


class GroupWeight(Model):
    """Number of shares of one group."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Name of the group, such as a user's; `*` for all that are not named."""
    weight: Annotated[int, Field(ge=1, le=1000)]
    """Number of shares: a group with 4 gets four times the slots of one with 1 while both have jobs waiting."""


class Fairness(Model):
    """Groups that share the slots."""

    model_config = ConfigDict(json_schema_extra=validated_by(_label_rule("by")))

    by: GroupField = GroupField.INITIATOR
    """Value by which jobs are grouped. All jobs without the value are one group."""
    label: LabelName | None = None
    """Name of the label if `by` is Label."""
    weights: Annotated[
        list[GroupWeight],
        Field(
            max_length=64, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Numbers of shares of groups. Each has 1 if neither it nor `*` is named."""
    half_life_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 3600
    """Time after which a run that has ended counts half as much for its group."""


class LimitMatch(Model):
    """Jobs that a limit is about: those to which all of this applies."""

    template: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    """Name of the template (`spec.templateRef.name`)."""
    transition: Transition | None = None
    """Transition of the job. Without it, the builds that stop or delete a workspace are not meant: they free resources."""
    initiator: UserName | None = None
    """User who requested the job."""
    tags: Annotated[dict[str, TagValue], Field(max_length=32)] = {}
    """Tags that the job has, each with this value."""


class Limit(Model):
    """Maximum number of jobs that run at a time."""

    model_config = ConfigDict(json_schema_extra=validated_by(_label_rule("per")))

    name: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Name of the limit, for those whose jobs wait."""
    match: LimitMatch = LimitMatch()
    """Jobs that count and wait. All, if it is empty, but for builds that stop or delete a workspace."""
    per: GroupField | None = None
    """Value of which each has the limit of its own."""
    label: LabelName | None = None
    """Name of the label if `per` is Label."""
    max_running: Annotated[int, Field(ge=0, le=100_000)]
    """Number of these jobs that may be assigned or running at a time. With 0, none starts."""


class History(Model):
    """Numbers of ended jobs to keep. Those that ended first are deleted, whatever their time to live, with their logs.

    Each number counts on its own. A job is kept until its workspace or template records its end, and a run until it counts little for
    `fairness`: three times `halfLifeSeconds`. Jobs that keep a plan, and checks for drift, neither count nor are deleted.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(_SOME_NUMBER))

    completed: Annotated[int, Field(ge=0, le=MOST_KEPT)] | None = None
    """Number of jobs of the namespace to keep that completed. All, if absent."""
    failed: Annotated[int, Field(ge=0, le=MOST_KEPT)] | None = None
    """Number of jobs of the namespace to keep that failed or were canceled. All, if absent."""
    per_workspace: Annotated[int, Field(ge=1, le=MOST_KEPT)] | None = None
    """Number of jobs to keep of each workspace, however they ended. All, if absent."""


class QueueSpec(Model):
    """Groups that share the slots, limits, work that nobody waits for, and ended jobs."""

    fairness: Fairness | None = None
    """Groups that share the slots. Without it, priority and age decide."""
    limits: Annotated[
        list[Limit],
        Field(
            max_length=32, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = []
    """Maximum numbers of jobs that run at a time. All limits that match a job hold."""
    background_reasons: Annotated[
        list[BackgroundWork], Field(max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = []
    """Reasons of jobs that never start before a job of the same priority that somebody waits for."""
    history: History | None = None
    """Numbers of ended jobs to keep. Without it, only their time to live deletes them."""


class GroupStatus(Model):
    """Jobs of one group."""

    name: GroupName
    """Name of the group; empty for the jobs without the value by which they are grouped."""
    running: Count = 0
    """Number of jobs that are assigned or running."""
    pending: Count = 0
    """Number of jobs that wait for nothing but a daemon, or a limit."""
    share: Annotated[int, Field(ge=0, le=100)] = 0
    """Percentage of the slots in use that the group uses."""
    waited_seconds: Count = 0
    """Time for which its oldest job has waited."""


class LimitStatus(Model):
    """Jobs of one limit."""

    name: Annotated[str, StringConstraints(max_length=63)]
    """Name of the limit."""
    running: Count = 0
    """Number of jobs that count, of all groups together."""
    blocked: Count = 0
    """Number of jobs that wait because it is reached."""


class QueueStatus(Model):
    """Jobs of the namespace at the time of the last write, which follows changes at most every half minute."""

    pending: Count = 0
    """Number of jobs that wait for nothing but a daemon, or a limit."""
    running: Count = 0
    """Number of jobs that are assigned or running."""
    groups: Annotated[
        list[GroupStatus], Field(max_length=MOST_QUEUE_GROUPS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The groups with the longest waits, then those with the most running jobs; at most 20."""
    limits: Annotated[
        list[LimitStatus], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """The limits."""
    observed_generation: int | None = None
    """Generation of the spec on which this status is based."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """Ready (the policy is in effect). kstatus can read it."""


class ProvisionerQueue(Model):
    """The policy of a namespace's queue: groups that share the slots, limits, work that goes last, and ended jobs that are kept.

    Without one, jobs start by priority and age. `kubectl get pq` shows how many wait and run, `kubectl provisioner jobs why` what a
    job waits for.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*QUEUE_RULES))

    metadata: ObjectMeta
    """Its name, `default`, and labels."""
    spec: QueueSpec = QueueSpec()
    """Groups that share the slots, limits, work that nobody waits for, and ended jobs."""
    status: QueueStatus = QueueStatus(conditions=not_observed("queue"))
    """Jobs of the namespace. Written by the controller."""
