"""Write objects for programs: JSON, YAML, names and templates; valid also for an empty list.

A list is an array of the API's objects, written as they arrive: ten thousand need no more memory than a page.
"""

from collections.abc import Iterable, Mapping
from typing import IO, Any

import orjson

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output.jsonpath import Template

Body = Mapping[str, Any]

FORMS = ("table", "wide", "json", "yaml", "name", "jsonpath=TEMPLATE")
MACHINE = frozenset({"json", "yaml", "name", "jsonpath"})
_JSONPATH = "jsonpath="


def checked(form: str) -> str:
    """Return the form if it exists. Raises UsageError."""
    if form in {"table", "wide", "json", "yaml", "name"}:
        return form
    if form.startswith(_JSONPATH) and len(form) > len(_JSONPATH):
        Template(form.removeprefix(_JSONPATH))
        return form
    raise UsageError(f"There is no output form {form!r}. Choose from: {', '.join(FORMS)}.")


def is_for_programs(form: str) -> bool:
    """Return whether this form is not a table."""
    return form.partition("=")[0] in MACHINE


def write_list(stream: IO[str], form: str, bodies: Iterable[Body]) -> None:
    """Write many objects."""
    match form.partition("=")[0]:
        case "json":
            _write_json_list(stream, bodies)
        case "yaml":
            _write_yaml_list(stream, bodies)
        case "name":
            for body in bodies:
                stream.write(f"{name_of(body)}\n")
        case _:
            items = [_clean(body) for body in bodies]
            document = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}
            _write_template(stream, form, document)


def write_one(stream: IO[str], form: str, body: Body) -> None:
    """Write one object."""
    match form.partition("=")[0]:
        case "json":
            stream.write(_json(_clean(body)) + "\n")
        case "yaml":
            stream.write(_yaml(_clean(body)))
        case "name":
            stream.write(f"{name_of(body)}\n")
        case _:
            _write_template(stream, form, _clean(body))


def name_of(body: Body) -> str:
    """Return the object's name as kubectl prints it: `provisionerjob.provisioner.dev/dev-7`."""
    group, slash, _ = str(body.get("apiVersion", "")).partition("/")
    kind = str(body.get("kind", "")).lower()
    return f"{kind}.{group}/{body['metadata']['name']}" if slash else f"{kind}/{body['metadata']['name']}"


def _clean(body: Body) -> dict[str, Any]:
    """Return the object without managedFields, as kubectl prints it."""
    meta = body.get("metadata")
    if isinstance(meta, Mapping) and "managedFields" in meta:
        return {**body, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}
    return dict(body)


def _write_json_list(stream: IO[str], bodies: Iterable[Body]) -> None:
    before = "[\n"
    for body in bodies:
        stream.write(before + _indented(_json(_clean(body))))
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


def _write_yaml_list(stream: IO[str], bodies: Iterable[Body]) -> None:
    is_empty = True
    for body in bodies:
        is_empty = False
        stream.write(_yaml([_clean(body)]))
    if is_empty:
        stream.write("[]\n")


def _write_template(stream: IO[str], form: str, document: Body) -> None:
    text = Template(form.removeprefix(_JSONPATH)).render(document)
    stream.write(text if text.endswith("\n") or not text else f"{text}\n")


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _yaml(value: object) -> str:
    import yaml  # noqa: PLC0415 - only this form needs it

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
