"""Finds fields of our kinds that a page names, as in `spec.deletionPolicy`, and that no kind has."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from support.manifests import CRDS, MANIFESTS
from unit.docs.pages import Page

_FIELD = re.compile(r"^(?:spec|status)(?:\.[a-z]\w*)+")
_FOREIGN_FIELDS = frozenset({"spec.nodeName", "status.podIP"})
"""Fields of Pods, which pools may refer to."""


def unknown_fields(page: Page) -> Iterator[str]:
    """Fields in the page's sentences that are in no definition."""
    for code in page.inline_code:
        found = _FIELD.match(code)
        if found and found[0] not in _FOREIGN_FIELDS and not exists(found[0]):
            yield found[0]


def exists(path: str) -> bool:
    """Whether some kind has the field."""
    return any(_has(schema, path.split(".")) for schema in _schemas())


def _has(schema: dict[str, Any], steps: list[str]) -> bool:
    if not steps:
        return True
    inner = schema.get("items", schema)  # pages leave out which element of a list is meant
    if isinstance(inner.get("additionalProperties"), dict):
        return _has(inner["additionalProperties"], steps[1:])
    return steps[0] in inner.get("properties", {}) and _has(inner["properties"][steps[0]], steps[1:])


@cache
def _schemas() -> tuple[dict[str, Any], ...]:
    paths = [*CRDS.glob("*.yaml"), *MANIFESTS.glob("components/*/provisioner.dev_*.yaml")]
    definitions = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    return tuple(
        version["schema"]["openAPIV3Schema"]
        for definition in definitions
        if definition.get("kind") == "CustomResourceDefinition"
        for version in definition["spec"]["versions"]
    )
