"""Changes that all objects of the chart have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chart.template_text import further, inline, optional

if TYPE_CHECKING:
    from chart.kustomize import Manifest

COMMON_LABELS = "$.Values.commonLabels"


def labeled(body: Manifest) -> Manifest:
    """Return an object with the labels that the values give to all."""
    labels = body["metadata"].get("labels")
    if labels is None:
        added: dict[Any, Any] = {optional("labels", COMMON_LABELS): None}
    else:
        added = {"labels": labels | {further(COMMON_LABELS): None}}
    return body | {"metadata": body["metadata"] | added}


def moved(value: Any, namespace: str, expression: str) -> Any:
    """Return the value with an expression in the place of a namespace, wherever its name is part of a text."""
    if isinstance(value, dict):
        return {key: moved(each, namespace, expression) for key, each in value.items()}
    if isinstance(value, list):
        return [moved(each, namespace, expression) for each in value]
    if isinstance(value, str) and namespace in value:
        return inline(value.replace(namespace, expression))
    return value
