"""Types of single values in the Pods of pools: quantities, keys and values of labels, and the rules for such keys."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.api.v1alpha1.rules import Rule, rule

_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
_LABEL_KEY = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
_LONGEST_KEY = 317
"""A domain of 253, a slash and a name of 63."""

Quantity = Annotated[
    str,
    BeforeValidator(str),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": _QUANTITY, "maxLength": 64}),
]
"""A quantity in Kubernetes' notation, such as `500m` or `2Gi`; a plain number needs no quotes."""
Amounts = Annotated[dict[str, Quantity], Field(max_length=16)]
LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_KEY, pattern=_LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=_LABEL_VALUE)]
AnnotationValue = Annotated[str, StringConstraints(max_length=4096)]
TaintKey = Annotated[str, StringConstraints(max_length=_LONGEST_KEY)]


def keys_are_valid(field: str) -> Rule:
    """Build the rule that each key of a map could be that of a label or an annotation."""
    return rule(
        f"self.all(key, key.size() <= {_LONGEST_KEY} && key.matches('{_LABEL_KEY}'))",
        f"a key of {field} is a name of letters, digits, '-', '_' and '.', optionally with a domain and a slash before it",
    )


def keys_are_not_ours(field: str) -> Rule:
    """Build the rule that no key of a map is one of the operator's labels or annotations."""
    return rule(
        f"self.all(key, !key.startsWith('{GROUP}/') && !key.contains('.{GROUP}/'))",
        f"{field} under {GROUP} are reserved for the operator: set tags and settings of daemons in the pool's spec",
        reason="FieldValueForbidden",
    )
