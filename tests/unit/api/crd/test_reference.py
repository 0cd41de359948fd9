"""The reference pages are up to date, complete, and their links lead somewhere."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Any

import pytest
import yaml

from provisioner_operator.api.crd.definitions import KINDS, Kind
from provisioner_operator.api.crd.docstrings import attribute_docstrings
from provisioner_operator.api.crd.examples import EXAMPLES
from provisioner_operator.api.crd.field_tables import sections
from provisioner_operator.api.crd.reference import CONDITIONS, page_name, pages
from provisioner_operator.api.v1alpha1 import enums
from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.rules import unchanged
from provisioner_operator.core.daemons.decisions import daemon_offline
from provisioner_operator.daemon.reporting.report import UNHEALTHY_FAILURES, Report, Tally, status_content
from support.builders.core import a_daemon
from support.manifests import REPOSITORY

FOLDER = REPOSITORY / "docs" / "reference"
META = {"name": "d", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
OF_OTHERS = {"metrics.md", "kube-state-metrics.md", "events.md", "api.md"}

written = cache(pages)
"""Made once for all tests: reading the models' texts takes its time."""

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)


def test_the_folder_holds_what_the_models_say() -> None:
    for name, text in written().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name} is out of date: run `make docs`"


def test_the_folder_holds_nothing_else() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {*written(), *OF_OTHERS}


@each_kind
def test_every_field_stands_in_the_section_of_its_object(kind: Kind) -> None:
    by_heading = {
        section.partition("\n")[0].strip(): section
        for section in re.split(r"^#{2,3} ", written()[page_name(kind)], flags=re.MULTILINE)
    }
    schema = kind.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    fields = [*_fields(schema["properties"]["spec"], "spec"), *_fields(schema["properties"]["status"], "status")]

    assert len(fields) > 10
    assert [(path, name) for path, name in fields if f"\n| `{name}` |" not in by_heading.get(path, "")] == []


@each_kind
def test_every_field_of_a_page_exists(kind: Kind) -> None:
    schema = kind.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    known = {*_fields(schema["spec"], "spec"), *_fields(schema["status"], "status")}
    section, documented = "", list[tuple[str, str]]()
    for line in written()[page_name(kind)].splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif section.startswith(("spec", "status")) and (row := re.match(r"\| `(\w+)` \|", line)):
            documented.append((section, row[1]))

    assert len(documented) == len(set(documented)) == len(known)
    assert set(documented) == known


@each_kind
def test_each_kind_has_one_example_which_its_page_shows(kind: Kind) -> None:
    text = EXAMPLES[kind.model]
    body = yaml.safe_load(text)

    assert written()[page_name(kind)].count("```yaml") == 1
    assert f"```yaml\n{text}```" in written()[page_name(kind)]
    assert body["kind"] == kind.model.__name__
    assert len(body["spec"]) > 2


def test_every_reason_of_the_api_is_on_a_page() -> None:
    text = "".join(written().values())
    reasons: list[type[StrEnum]] = [each for name, each in vars(enums).items() if name.endswith("Reason")]

    assert len(reasons) > 6
    assert [reason for members in reasons for reason in members if f"| `{reason}` |" not in text] == []


@each_kind
def test_every_rule_but_immutability_is_quoted(kind: Kind) -> None:
    text = written()[page_name(kind)]

    rules = [rule for rule in _rules(kind.definition()) if rule["rule"] != "self == oldSelf"]

    assert [rule["message"] for rule in rules if rule["message"] not in text or rule["rule"] not in text] == []


@each_kind
def test_every_link_to_a_section_has_its_heading(kind: Kind) -> None:
    text = written()[page_name(kind)]
    anchors = {
        re.sub(r"[^a-z0-9_-]", "", heading.lower()) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


@each_kind
def test_every_condition_and_reason_has_a_meaning(kind: Kind) -> None:
    conditions = CONDITIONS[kind.model]

    assert [name for name, meaning in conditions.types.items() if not meaning] == []
    assert [reason.name for reason in conditions.reasons if not reason.meaning] == []


def test_the_index_links_to_every_page() -> None:
    index = written()["README.md"]

    assert [name for name in (*map(page_name, KINDS), *OF_OTHERS) if f"]({name})" not in index] == []


def test_the_reasons_of_a_daemon_are_those_that_the_code_writes() -> None:
    daemon = ProvisionerDaemon.model_validate({"metadata": META, "spec": {}})

    def reported(state: DaemonState, *, failures_at_once: int = 0) -> set[str]:
        tally = Tally(failures_at_once=failures_at_once, failed_at_once_at=0.0)
        status = status_content(
            Report(state, ()),
            tally,
            daemon,
            instance="i",
            lost_after_seconds=300,
            idle_heartbeat_seconds=0,
            now=0.0,
        )
        return _reasons(status["conditions"])

    offline = dict(daemon_offline(a_daemon(), "missing", 0.0).sets)

    unhealthy = reported(DaemonState.IDLE, failures_at_once=UNHEALTHY_FAILURES)
    written = reported(DaemonState.OFFLINE) | _reasons(offline["/status/conditions"]) | unhealthy

    assert {f"{reason.condition} {reason.name}" for reason in CONDITIONS[ProvisionerDaemon].reasons} == written


def test_a_table_shows_what_the_schema_asks_for() -> None:
    schema = {
        "description": "The spec.",
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "A name.", "maxLength": 5, "pattern": "a|b"},
            "items": {
                "type": "array",
                "description": "Some.",
                "maxItems": 2,
                "x-kubernetes-list-type": "set",
                "items": {"type": "string", "enum": ["x", "y"]},
            },
            "size": {
                "type": "integer",
                "description": "A size. Defaults to 3.",
                "default": 3,
                "minimum": 1,
                "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "frozen"}],
            },
        },
    }

    (text,) = sections(schema, "spec")

    assert text.splitlines()[6:] == [
        r"| `name` | string |  | **required**; at most 5 characters; matches `a\|b` | A name. |",
        "| `items` | list of string |  | at most 2 items; unique items; each: one of `x`, `y` | Some. |",
        "| `size` | integer | `3` | immutable; at least 1 | A size. |",
    ]


def test_a_field_that_a_rule_of_its_object_keeps_is_immutable() -> None:
    text = {"type": "string", "description": ""}
    schema = {
        "description": "",
        "type": "object",
        "properties": {
            "ref": {"type": "object", "properties": {"name": text, "version": text}},
            "owner": text,
            "count": {"type": "integer"},
        },
        "x-kubernetes-validations": [
            {"rule": "self.ref.name == oldSelf.ref.name", "message": "m", "fieldPath": ".ref"},
            {"rule": unchanged("owner"), "message": "m", "fieldPath": ".owner"},
            {"rule": "self.count >= oldSelf.count", "message": "m", "fieldPath": ".count"},
        ],
    }

    rows = [line for section in sections(schema, "spec") for line in section.splitlines() if line.startswith("| `")]

    assert rows == [
        "| `ref` | [object](#specref) |  |  |  |",
        "| `owner` | string |  | immutable |  |",
        "| `count` | integer |  |  |  |",
        "| `name` | string |  | immutable |  |",
        "| `version` | string |  |  |  |",
    ]


class Color(StrEnum):
    RED = "red"
    """As blood."""
    BLUE = "blue"


def test_texts_below_members_of_an_enumeration_are_read() -> None:
    assert attribute_docstrings(Color) == {"RED": "As blood."}


def _fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, field in schema.get("properties", {}).items():
        yield path, name
        yield from _fields(field, f"{path}.{name}")
        yield from _fields(field.get("items", {}), f"{path}.{name}[]")


def _rules(part: Any) -> Iterator[dict[str, str]]:
    if isinstance(part, dict):
        yield from part.get("x-kubernetes-validations", ())
        for each in part.values():
            yield from _rules(each)
    elif isinstance(part, list):
        for each in part:
            yield from _rules(each)


def _reasons(conditions: Any) -> set[str]:
    return {f"`{each['type']}` {each['status']} `{each['reason']}`" for each in conditions}
