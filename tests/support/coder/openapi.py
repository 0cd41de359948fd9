"""Check answers against the server's own OpenAPI document."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any


class Document:
    """An OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take the document."""
        self.document = document

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str]]:
        """The paths as expressions; those with fewer parameters come first."""
        paths = sorted(self.document["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path) for path in paths]

    def operation(self, method: str, path: str) -> Mapping[str, Any]:
        """Return the operation that answers this request."""
        for pattern, template in self._templates:
            item = self.document["paths"][template]
            if pattern.fullmatch(path.partition("?")[0]) and method.lower() in item:
                operation: Mapping[str, Any] = item[method.lower()]
                return operation
        raise AssertionError(f"The document has no {method} {path}")

    def problems(self, method: str, path: str, status: int, media_type: str, body: Any) -> list[str]:
        """Return what the document does not say of this answer."""
        import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415 - seconds of CPU, which a process that only collects does without

        responses = self.operation(method, path)["responses"]
        response = responses.get(str(status))
        if response is None and status < 400:
            return [f"{method} {path}: no answer with status {status}"]
        content = (response or responses["default"]).get("content", {})
        if not content:
            return [] if body is None else [f"{method} {path}: an answer of {status} has no content"]
        if media_type not in content:
            return [f"{method} {path}: {media_type} is none of {sorted(content)}"]
        schema = {**content[media_type].get("schema", {}), "components": self.document["components"]}
        kind = jsonschema.Draft202012Validator
        validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
        return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(body)]
