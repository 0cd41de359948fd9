"""Keep files with their folders in a ConfigMap, whose keys cannot contain '/'.

An annotation of the ConfigMap has the paths of such keys. Pure. Used for the kept files of versions, by the controller
where it reads a template's source, and by daemons.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.names import PATHS_ANNOTATION
from provisioner_operator.core.model.json_value import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The contents of a ConfigMap: text and base64 by path."""

    data: JsonObject
    binary_data: JsonObject


def to_config_map(data: JsonObject, binary_data: JsonObject) -> JsonObject:
    """Return the parts of a ConfigMap that hold these files; its annotations only where a path needs one."""
    keys = _keys([*data, *binary_data])
    paths = {key: path for path, key in keys.items() if key != path}
    body: dict[str, JsonValue] = {"data": {keys[path]: text for path, text in data.items()}}
    if binary_data:
        body["binaryData"] = {keys[path]: content for path, content in binary_data.items()}
    if paths:
        body["annotations"] = {PATHS_ANNOTATION: json.dumps(paths, sort_keys=True)}
    return body


def from_config_map(body: JsonObject) -> NamedFiles:
    """Return the files of a ConfigMap. Raises ValueError when its annotation is no object of keys and paths."""
    paths = _paths(body)
    data, binary_data = (_object(body.get(part)) for part in ("data", "binaryData"))
    if unknown := sorted(paths.keys() - data.keys() - binary_data.keys()):
        raise ValueError(f"annotation {PATHS_ANNOTATION} names {unknown[0]!r}, which is no key of it")
    names = [paths.get(key, key) for key in (*data, *binary_data)]
    if len(set(names)) < len(names):
        raise ValueError(f"annotation {PATHS_ANNOTATION} gives two files one path")
    return NamedFiles(
        {paths.get(key, key): text for key, text in data.items()},
        {paths.get(key, key): content for key, content in binary_data.items()},
    )


def _keys(paths: list[str]) -> dict[str, str]:
    keys = {path: path for path in paths if "/" not in path}
    for number, path in enumerate(sorted(path for path in paths if "/" in path)):
        key = f"path-{number}"
        while key in keys:
            key += "_"
        keys[path] = key
    return keys


def _paths(body: JsonObject) -> dict[str, str]:
    text = _object(_object(body.get("metadata")).get("annotations")).get(PATHS_ANNOTATION, "{}")
    try:
        found = json.loads(str(text))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(path, str) for path in found.values()):
        raise ValueError(f"annotation {PATHS_ANNOTATION} is no JSON object of keys and their paths")
    return found


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}
