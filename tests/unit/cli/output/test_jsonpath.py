"""kubectl's jsonpath templates."""

from typing import Any

import pytest

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output.jsonpath import Template

LIST: dict[str, Any] = {
    "items": [
        {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}, "status": {"phase": "Pending", "n": 3, "ok": True}},
        {
            "metadata": {"name": "b"},
            "status": {"phase": "Failed", "conditions": [{"type": "Ready", "status": "False"}]},
        },
    ]
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        (".items[0].metadata.name", "a"),
        ("{$.items[-1].metadata.name}", "b"),
        ("{.items[7].metadata.name}", ""),
        ("{.items[*].nothing.here}", ""),
        ("name: {.items[0].metadata['name']}!", "name: a!"),
        ("{.items[0].metadata.labels.x\\.y/z}", "1"),
        ('{.items[?(@.status.phase=="Failed")].metadata.name}', "b"),
        ('{.items[?(@.status.phase!="Failed")].metadata.name}', "a"),
        ("{.items[?(@.status.conditions)].metadata.name}", "b"),
        ('{.items[1].status.conditions[?(@.type=="Ready")].status}', "False"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', "a\tPending\nb\tFailed\n"),
        ("{.items[0].status.n} {.items[0].status.ok}", "3 true"),
        ("{.items[0].status}", '{"phase": "Pending", "n": 3, "ok": true}'),
        ("{.items[0].metadata.labels.*}", "1"),
    ],
)
def test_a_template_gives_what_kubectl_gives(template: str, text: str) -> None:
    assert Template(template).render(LIST) == text


def test_an_empty_list_gives_nothing() -> None:
    assert Template("{range .items[*]}{.metadata.name}{end}").render({"items": []}) == ""


@pytest.mark.parametrize("template", ["{.items", "{range .items[*]}", "{end}", "{.items[x]}", "{.a b}"])
def test_a_template_that_cannot_be_understood_is_a_usage_error(template: str) -> None:
    with pytest.raises(UsageError, match="jsonpath"):
        Template(template)
