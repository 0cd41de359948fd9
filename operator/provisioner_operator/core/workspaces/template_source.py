"""Track the source of a template: the ConfigMap that has to be read again, and the digest that names a version.

Used by `template_plan`. A version's name depends on nothing but the source and the parameters, so the same ones always
yield the same name.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.workspaces.parameters import parameter_json
from provisioner_operator.core.workspaces.records import SourceFiles, Template

SOURCE_RETRY_SECONDS = 30.0
"""Interval after which a missing ConfigMap is read again."""
SOURCE_REREAD_SECONDS = 600.0
"""Interval after which a ConfigMap is read again: it may change without the template."""
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """Content of the template's ConfigMap, with the generation of the template for which it was read."""

    files: SourceFiles
    generation: int
    at: float
    """Time of the read, on the monotonic clock."""


def must_read(template: Template, reading: Reading | None, now: Instant) -> bool:
    """Return whether the template's ConfigMap has to be read now."""
    if template.config_map is None:
        return False
    if reading is None or reading.generation != template.generation:
        return True
    return now.monotonic >= reading.at + _reread_after(reading)


def next_reading(template: Template, reading: Reading | None, now: Instant) -> float | None:
    """Return the seconds until the ConfigMap has to be read again; None for a template without one."""
    if template.config_map is None or reading is None:
        return None
    return max(reading.at + _reread_after(reading) - now.monotonic, 0.0)


def files_of(template: Template, reading: Reading | None) -> SourceFiles | None:
    """Return the template's files, from its ConfigMap or its spec; None for a source in git."""
    if template.config_map is not None:
        return None if reading is None else reading.files
    return None if template.files is None else SourceFiles(template.files)


def digest_of(template: Template, files: SourceFiles | None) -> str:
    """Return the digest of everything that an import or a check of parameters depends on, apart from tags and timeouts."""
    inputs: list[object] = [
        template.provisioner,
        template.import_generation,
        template.git,
        None if files is None else {"data": files.data, "binaryData": files.binary_data},
        [parameter_json(each) for each in sorted(template.parameters, key=lambda each: each.name)],
        # Not their values, which may change at any time: an import only looks for variables that nothing sets.
        [*sorted(str(each["name"]) for each in template.variables), bool(template.variables_from)],
        # Only if there are any, so that the versions of templates without them keep their names.
        *([template.module_credentials] if template.module_credentials else []),
    ]
    canonical = json.dumps(inputs, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def _reread_after(reading: Reading) -> float:
    return SOURCE_REREAD_SECONDS if reading.files.missing is None else SOURCE_RETRY_SECONDS
