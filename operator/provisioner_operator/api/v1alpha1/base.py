"""Base of all models of the API: camelCase names, frozen values, descriptions taken from docstrings."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from provisioner_operator.api.v1alpha1.enums import ConditionStatus
from provisioner_operator.api.v1alpha1.limits import LONGEST_MESSAGE

_DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=_DNS_SUBDOMAIN)]
WorkspaceName = Annotated[str, StringConstraints(min_length=1, max_length=53, pattern=_DNS_LABEL)]
"""53 characters, as for a Helm release: names made from it (state Secret, lock Lease, job) still fit a label value of
63."""
DataKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
"""A key of a ConfigMap or Secret."""
ShortText = Annotated[str, StringConstraints(max_length=1024)]
LongText = Annotated[str, StringConstraints(max_length=LONGEST_MESSAGE)]
UserName = Annotated[str, StringConstraints(max_length=253)]
Uid = Annotated[str, StringConstraints(max_length=64)]
PlanDigest = Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a plan that is kept, with the locks of its providers."""
Seconds = Annotated[int, Field(ge=1, le=2_592_000)]
"""A duration in whole seconds, at most thirty days."""


_TIME = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-[0-3][0-9]T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
Time = Annotated[AwareDatetime, Field(json_schema_extra={"pattern": _TIME})]
"""The format date-time admits years and offsets that the models cannot read; a reporter could hide its object by them."""


class Model(BaseModel):
    """A frozen part of an object. Unknown fields are ignored: a newer client may know more than this version."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
    )


class OwnerReference(Model):
    """Reference to an owner, with which the object is deleted."""

    kind: str
    uid: str


class ObjectMeta(Model):
    """The part of metav1.ObjectMeta that this product reads. In the CRDs, metadata is the API server's own type."""

    name: str
    namespace: str
    uid: str
    resource_version: str = "0"
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    deletion_timestamp: AwareDatetime | None = None
    creation_timestamp: AwareDatetime
    owner_references: list[OwnerReference] = []


class Condition(Model):
    """One observation about the object, in the form of metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """The aspect that is observed."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[
        str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ]
    """The reason for the status, as one CamelCase word for programs."""
    message: LongText = ""
    """The reason for the status, as a sentence for people."""
    last_transition_time: Time
    """Time of the last change of the status."""
    observed_generation: int | None = None
    """Generation of the spec on which the condition is based."""
