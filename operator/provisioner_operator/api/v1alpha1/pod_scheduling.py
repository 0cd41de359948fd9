"""Placement of a pool's Pods on nodes: taints, affinity, and spreading over zones or nodes.

The types are those of Kubernetes, with lists short enough for the API server's limits on validation. What they mean together is
checked where the Pod is created.
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.enums import (
    NodeOperator,
    SelectorOperator,
    TaintEffect,
    TolerationOperator,
    UnsatisfiableAction,
)
from provisioner_operator.api.v1alpha1.pod_values import LabelKey, LabelValue, TaintKey
from provisioner_operator.api.v1alpha1.rules import rule, validated_by

_MOST_TERMS = 16
_MOST_EXPRESSIONS = 16
_MOST_VALUES = 64

Weight = Annotated[int, Field(ge=1, le=100)]
Values = Annotated[
    list[LabelValue], Field(max_length=_MOST_VALUES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
]


class Toleration(Model):
    """Permission for the Pods to run on nodes with a matching taint."""

    model_config = ConfigDict(
        json_schema_extra=validated_by(
            rule(
                f"self.operator != '{TolerationOperator.EXISTS}' || !has(self.value) || self.value == ''",
                "a toleration with the operator Exists cannot have a value, because it matches every value",
                field="value",
                reason="FieldValueForbidden",
            ),
            rule(
                f"self.operator == '{TolerationOperator.EXISTS}' || (has(self.key) && self.key != '')",
                "a toleration without a key matches every taint: set a key, or the operator Exists",
                field="key",
                reason="FieldValueRequired",
            ),
            rule(
                f"!has(self.tolerationSeconds) || (has(self.effect) && self.effect == '{TaintEffect.NO_EXECUTE}')",
                "tolerationSeconds requires the effect NoExecute",
                field="tolerationSeconds",
                reason="FieldValueForbidden",
            ),
        )
    )

    key: TaintKey | None = None
    """The taint's key; every taint if absent."""
    operator: TolerationOperator = TolerationOperator.EQUAL
    """Equal compares the value, Exists accepts any."""
    value: LabelValue | None = None
    """The taint's value."""
    effect: TaintEffect | None = None
    """The taint's effect; every effect if absent."""
    toleration_seconds: int | None = None
    """Time that a Pod stays on a node that gets a NoExecute taint; unlimited if absent."""


class NodeRequirement(Model):
    """Condition for one label, or one field, of a node."""

    key: LabelKey
    """Key of the label, or `metadata.name` for a field."""
    operator: NodeOperator
    """In and NotIn compare with `values`, Gt and Lt with one number there; Exists and DoesNotExist take none."""
    values: Values = []
    """Values to compare with."""


NodeRequirements = Annotated[
    list[NodeRequirement], Field(max_length=_MOST_EXPRESSIONS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
]


class NodeTerm(Model):
    """Conditions that a node meets all."""

    match_expressions: NodeRequirements = []
    """Conditions for labels."""
    match_fields: NodeRequirements = []
    """Conditions for fields."""


class NodeSelection(Model):
    """Terms of which a node meets at least one."""

    node_selector_terms: Annotated[
        list[NodeTerm],
        Field(min_length=1, max_length=_MOST_TERMS, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ]
    """The terms."""


class PreferredNode(Model):
    """A term that makes a node more attractive."""

    weight: Weight
    """Weight of the term, 1 to 100."""
    preference: NodeTerm
    """The term."""


class NodeAffinity(Model):
    """Nodes that the Pods need or prefer."""

    required_during_scheduling_ignored_during_execution: NodeSelection | None = None
    """Nodes of which a Pod needs one."""
    preferred_during_scheduling_ignored_during_execution: Annotated[
        list[PreferredNode], Field(max_length=_MOST_TERMS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Nodes that are preferred, by weight."""


class LabelRequirement(Model):
    """Condition for one label of a Pod or a namespace."""

    key: LabelKey
    """The label's key."""
    operator: SelectorOperator
    """In and NotIn compare with `values`; Exists and DoesNotExist take none."""
    values: Values = []
    """Values to compare with."""


class LabelSelector(Model):
    """Selection by labels; all conditions have to be met, and an empty selector selects everything."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=_MOST_EXPRESSIONS)] = {}
    """Labels with exactly these values."""
    match_expressions: Annotated[
        list[LabelRequirement],
        Field(max_length=_MOST_EXPRESSIONS, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = []
    """Further conditions."""


class PodTerm(Model):
    """Selection of other Pods, and the extent within which they count."""

    label_selector: LabelSelector | None = None
    """Labels of the Pods; none are selected if absent."""
    namespaces: Annotated[
        list[LabelValue], Field(max_length=_MOST_TERMS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Namespaces of the Pods; the pool's own if both this and `namespaceSelector` are absent."""
    namespace_selector: LabelSelector | None = None
    """Labels of the namespaces."""
    topology_key: LabelKey
    """Label of nodes; nodes with the same value are one place, such as `kubernetes.io/hostname` or
    `topology.kubernetes.io/zone`."""


class PreferredPods(Model):
    """A selection of Pods whose place is preferred, or avoided."""

    weight: Weight
    """Weight of the term, 1 to 100."""
    pod_affinity_term: PodTerm
    """The Pods and the place."""


class PodAffinity(Model):
    """Places with, or without, certain other Pods."""

    required_during_scheduling_ignored_during_execution: Annotated[
        list[PodTerm], Field(max_length=_MOST_TERMS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Terms that all have to be met."""
    preferred_during_scheduling_ignored_during_execution: Annotated[
        list[PreferredPods], Field(max_length=_MOST_TERMS, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Terms that are preferred, by weight."""


class Affinity(Model):
    """Nodes and neighbors that the Pods need, prefer or avoid."""

    node_affinity: NodeAffinity | None = None
    """Nodes."""
    pod_affinity: PodAffinity | None = None
    """Pods to be near to."""
    pod_anti_affinity: PodAffinity | None = None
    """Pods to keep away from."""


class TopologySpreadConstraint(Model):
    """Even distribution of the Pods over zones, nodes or other places."""

    max_skew: Annotated[int, Field(ge=1, le=1000)]
    """Number of Pods that one place may have more than another."""
    topology_key: LabelKey
    """Label of nodes; nodes with the same value are one place."""
    when_unsatisfiable: UnsatisfiableAction
    """DoNotSchedule lets a Pod wait, ScheduleAnyway only prefers an even distribution."""
    label_selector: LabelSelector | None = None
    """Pods that are counted; those of the pool if absent."""
    min_domains: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Number of places below which missing ones count as empty; only with DoNotSchedule."""
