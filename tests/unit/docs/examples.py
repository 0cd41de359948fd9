"""Finds what is wrong with a page's YAML examples of our kinds: a kind or field that does not exist, a value that does not fit.

Rules in CEL are the API server's to check, which the tests of installed manifests ask.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.names import GROUP, VERSION
from unit.docs.pages import Page

YAML = frozenset({"yaml", "yml"})
_SERVED = {"uid": "u", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"}
"""Fields that the API server adds to an object's metadata."""


def wrong_examples(page: Page) -> Iterator[str]:
    """Yield a message for each problem of the page's YAML."""
    for block in page.blocks:
        if block.language not in YAML:
            continue
        try:
            documents = list(yaml.safe_load_all(block.text))
        except yaml.YAMLError as error:
            yield f"no YAML: {error}"
            continue
        for document in documents:
            if is_ours(document):
                yield from _problems(document)


def is_ours(document: object) -> bool:
    """Whether the document is an object of our kinds, or means to be."""
    return isinstance(document, dict) and str(document.get("apiVersion", "")).startswith(GROUP)


def _problems(document: dict[str, Any]) -> Iterator[str]:
    models = {kind.model.__name__: kind.model for kind in KINDS}
    model = models.get(str(document.get("kind")))
    if model is None or document["apiVersion"] != f"{GROUP}/{VERSION}":
        yield f"there is no kind {document.get('kind')} of {document['apiVersion']}"
        return
    metadata = document.get("metadata") or {}
    body = document | {"metadata": _SERVED | metadata}
    try:
        parsed = model.model_validate(body)
    except ValidationError as error:
        yield f"{document['kind']} {metadata.get('name')}: {error}"
        return
    yield from (
        f"{document['kind']} {metadata.get('name')} has no field {path}"
        for path in _unknown({"spec": body.get("spec") or {}}, {"spec": _dump(parsed)}, "")
    )


def _dump(parsed: BaseModel) -> object:
    """The spec as it was understood: only what was written, under the names of the API."""
    return parsed.model_dump(mode="json", by_alias=True, exclude_unset=True).get("spec", {})


def _unknown(written: object, understood: object, path: str) -> Iterator[str]:
    """Paths of fields that were written and are in no model."""
    if isinstance(written, Mapping) and isinstance(understood, Mapping):
        for key, value in written.items():
            inner = f"{path}.{key}".removeprefix(".")
            if key in understood:
                yield from _unknown(value, understood[key], inner)
            else:
                yield inner
    elif isinstance(written, list) and isinstance(understood, list):
        for number, (value, counterpart) in enumerate(zip(written, understood, strict=True)):
            yield from _unknown(value, counterpart, f"{path}[{number}]")
