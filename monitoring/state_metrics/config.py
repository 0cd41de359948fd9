"""Strict model of the part of kube-state-metrics' configuration that is used here. Knows no kind of ours.

kube-state-metrics itself ignores what it does not know, so a misspelt key would only be missed in a graph. What is left
out on purpose: labels that copy whole maps (`*`), keys as labels, and common labels. Its own reading of a value that is
absent, of a list and of a path is described at each field.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

GROUP_LABEL, VERSION_LABEL, KIND_LABEL = "customresource_group", "customresource_version", "customresource_kind"
"""Labels that kube-state-metrics adds to each series."""
_TAKEN = {GROUP_LABEL, VERSION_LABEL, KIND_LABEL, "job", "instance", "le", "quantile"}
"""Labels that mean something else to kube-state-metrics or Prometheus."""


def _free(label: str) -> str:
    if label in _TAKEN:
        raise ValueError(f"the label {label} means something else")
    return label


FieldPath = Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_free)]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
Labels = dict[LabelName, FieldPath]
"""Paths of the values by the names of the labels. A label whose value is absent is left out."""


class Part(BaseModel):
    """A frozen part of the configuration without unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class GroupVersionKind(Part):
    """The kind whose objects are measured."""

    group: str
    version: str
    kind: str


class GaugeSource(Part):
    """Source of numbers: a number, a boolean, a time (as seconds since 1970), or a list of objects that have one each."""

    path: FieldPath
    """The value, or the list. There is no series if it is absent."""
    value_from: FieldPath | None = None
    """For a list: the value in each of its objects. Conditions' `True` is 1, `False` and `Unknown` are 0."""
    labels_from_path: Labels | None = None
    """For a list: labels from each of its objects."""


class InfoSource(Part):
    """Source of labels of a series whose value is 1. There is no series if all are absent."""

    labels_from_path: Annotated[Labels, Field(min_length=1)]


class StateSetSource(Part):
    """Source of one series for each value of an enumeration: 1 for the present one, 0 for the others."""

    path: FieldPath
    label_name: LabelName
    values: Annotated[tuple[str, ...], Field(alias="list", min_length=2)]


class Gauge(Part):
    """A metric of numbers."""

    type: Literal["Gauge"] = "Gauge"
    gauge: GaugeSource


class Info(Part):
    """A metric of labels."""

    type: Literal["Info"] = "Info"
    info: InfoSource


class StateSet(Part):
    """A metric of an enumeration."""

    type: Literal["StateSet"] = "StateSet"
    state_set: StateSetSource


class Family(Part):
    """A metric of each object."""

    name: MetricName
    """Its name behind the prefix."""
    help: Annotated[str, StringConstraints(pattern=r"^[A-Z].*\.$")]
    each: Annotated[Gauge | Info | StateSet, Field(discriminator="type")]

    @model_validator(mode="after")
    def _info_is_named_so(self) -> Self:
        if isinstance(self.each, Info) != self.name.endswith("_info"):
            raise ValueError(f"{self.name}: metrics of type Info, and only these, are named _info")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its labels beside those of the object, in order."""
        match self.each:
            case Gauge(gauge=source):
                return tuple(source.labels_from_path or ())
            case Info(info=source):
                return tuple(source.labels_from_path)
            case StateSet(state_set=source):
                return (source.label_name,)


class Resource(Part):
    """The metrics of a kind's objects."""

    group_version_kind: GroupVersionKind
    metric_name_prefix: MetricName
    labels_from_path: Labels
    """Labels of all its series, which identify the object."""
    error_log_v: Annotated[int, Field(alias="errorLogV", ge=0, le=10)]
    """Verbosity from which on kube-state-metrics logs the absence of a value at each change of an object."""
    metrics: Annotated[tuple[Family, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_label_hides_another(self) -> Self:
        for family in self.metrics:
            if hidden := self.labels_from_path.keys() & {*family.labels}:
                raise ValueError(f"{family.name}: another label is named {hidden} too")
        return self

    def full_name(self, family: Family) -> str:
        """Name of the metric in Prometheus."""
        return f"{self.metric_name_prefix}_{family.name}"

    def most_series(self, list_lengths: int) -> int:
        """Number of series of an object whose values are all present, and whose lists have this many entries."""
        return sum(_most_series(family, list_lengths) for family in self.metrics)


class Resources(Part):
    """The kinds that are measured."""

    resources: Annotated[tuple[Resource, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [each.full_name(family) for each in self.resources for family in each.metrics]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"metrics are defined twice: {repeated}")
        return self


class StateMetrics(Part):
    """The file that `--custom-resource-state-config-file` names."""

    kind: Literal["CustomResourceStateMetrics"] = "CustomResourceStateMetrics"
    spec: Resources


def _most_series(family: Family, list_lengths: int) -> int:
    match family.each:
        case Gauge(gauge=source):
            return 1 if source.value_from is None else list_lengths
        case Info():
            return 1
        case StateSet(state_set=source):
            return len(source.values)
