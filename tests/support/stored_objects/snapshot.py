"""Snapshots of what a version of the product stores: its definitions, and objects as they were allowed and written then.

A snapshot is a folder of `tests/stored_objects`, named for the version, with `crds/` and `objects/`. It never changes again.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from support.manifests import CRDS, REPOSITORY, Manifest

SNAPSHOTS = REPOSITORY / "tests" / "stored_objects"
_DEFINITIONS, _OBJECTS = "crds", "objects"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Definitions and objects of one version."""

    folder: Path

    @property
    def name(self) -> str:
        """The version."""
        return self.folder.name

    def definitions(self) -> list[Manifest]:
        """The CustomResourceDefinitions."""
        return definitions_in(self.folder / _DEFINITIONS)

    def objects(self) -> list[Manifest]:
        """Objects of all kinds with their statuses, each with a name that no other of its kind has."""
        files = sorted((self.folder / _OBJECTS).glob("*.yaml"))
        return [each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def snapshots() -> list[Snapshot]:
    """Return the snapshots of all versions."""
    return [Snapshot(each) for each in sorted(SNAPSHOTS.iterdir()) if each.is_dir()]


def current_definitions() -> list[Manifest]:
    """Return the definitions of this checkout."""
    return definitions_in(CRDS)


def definitions_in(folder: Path) -> list[Manifest]:
    """Return the definitions in the folder's files."""
    return [yaml.safe_load(each.read_text(encoding="utf-8")) for each in sorted(folder.glob("provisioner.dev_*.yaml"))]


def schema_of(definition: Manifest) -> Manifest:
    """Return the schema of a definition's only version, to read or to change."""
    (version,) = definition["spec"]["versions"]
    schema: Manifest = version["schema"]["openAPIV3Schema"]
    return schema


def write(folder: Path, crds: Path, objects: Iterable[Manifest]) -> None:
    """Write a snapshot of these definitions and objects."""
    (folder / _DEFINITIONS).mkdir(parents=True)
    for file in sorted(crds.glob("provisioner.dev_*.yaml")):
        (folder / _DEFINITIONS / file.name).write_bytes(file.read_bytes())
    (folder / _OBJECTS).mkdir()
    kinds: dict[str, list[Manifest]] = {}
    for each in objects:
        plain: Manifest = json.loads(json.dumps(each))  # without enumerations
        kinds.setdefault(plain["kind"], []).append(plain)
    for kind, manifests in kinds.items():
        text = yaml.dump_all(manifests, Dumper=_Plain, sort_keys=False, width=120)
        (folder / _OBJECTS / f"{kind.lower()}s.yaml").write_text(text, encoding="utf-8")


class _Plain(yaml.SafeDumper):
    """Writes each value where it stands, without references to an earlier one."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def fields_of(schema: Manifest, path: str = "") -> Iterator[str]:
    """Yield the path of each field of the schema, through lists and maps: `.spec.tags`."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from fields_of(field, f"{path}.{name}")
    for values in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(values, dict):
            yield from fields_of(values, path)


def fields_in(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of each field that the value has; keys of maps are fields here."""
    if isinstance(value, dict):
        for name, field in value.items():
            yield f"{path}.{name}"
            yield from fields_in(field, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from fields_in(each, path)
