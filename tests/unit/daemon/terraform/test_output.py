"""The reader of machine-readable output, on what Terraform 1.11.4 really wrote (data/)."""

import json
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.limits import MOST_OUTPUTS, MOST_RESOURCES
from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.daemon.terraform.output import OutputReader

DATA = Path(__file__).parent / "data"


def read(*files: str) -> tuple[OutputReader, list[str]]:
    reader = OutputReader()
    shown = [
        text for file in files for line in (DATA / file).read_text().splitlines() for text in reader.read(line) or ()
    ]
    return reader, shown


def test_an_apply_reports_resources_and_outputs_but_not_the_sensitive_one() -> None:
    reader, shown = read("plan.jsonl", "apply.jsonl")
    assert sorted(reader.resources, key=lambda change: change.address) == [
        ResourceChange("terraform_data.disk[0]", "terraform_data", "create"),
        ResourceChange("terraform_data.disk[1]", "terraform_data", "create"),
    ]
    assert reader.outputs == (Output("region", "us"), Output("sizes", "[1, 2]"))
    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." in shown
    assert "terraform_data.disk[0]: (local-exec): hello" in shown


def test_a_plan_alone_reports_what_would_be_done() -> None:
    reader, _ = read("plan.jsonl")
    assert {change.action for change in reader.resources} == {"create"}
    assert reader.outputs == ()


def test_a_deletion_and_a_creation_of_one_resource_is_a_replacement() -> None:
    reader, _ = read("replace.jsonl")
    assert {change.action for change in reader.resources} == {"replace"}


def test_a_failed_apply_reports_what_failed_and_where() -> None:
    reader, shown = read("failed_apply.jsonl")
    assert reader.errors[0].summary == "local-exec provisioner error"
    assert reader.errors[0].where.startswith("terraform_data.disk[")
    assert any(line.startswith("Error: local-exec provisioner error (terraform_data.disk[") for line in shown)


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ({"filename": "main.tf", "start": {"line": 7, "column": 3}}, "a.b, main.tf:7"),
        ({"filename": "main.tf", "start": {"line": "7"}}, "a.b, main.tf"),
        ({"filename": "main.tf"}, "a.b, main.tf"),
        ({"start": {"line": 7}}, "a.b"),
        ({}, "a.b"),
    ],
)
def test_a_diagnostic_names_its_place_as_far_as_it_is_known(place: dict[str, object], where: str) -> None:
    reader = OutputReader()
    diagnostic = {"severity": "error", "summary": "s", "detail": "one\ntwo", "address": "a.b", "range": place}
    shown = reader.read(json.dumps({"@message": "m", "type": "diagnostic", "diagnostic": diagnostic}))
    assert reader.errors[0].where == where
    assert shown == (f"Error: s ({where})", "one", "two")


def test_a_failed_creation_does_not_count_as_done() -> None:
    reader, _ = read("failed_apply.jsonl")
    assert all(change.action == "delete" for change in reader.resources)


def test_a_validation_reports_its_diagnostics() -> None:
    reader = OutputReader()
    shown = reader.read_validation((DATA / "validate.json").read_text())
    assert [error.summary for error in reader.errors] == ["Reference to undeclared input variable"]
    assert shown[-1] == "The configuration is not valid."


@pytest.mark.parametrize("line", ["plain text", "{not json", '{"no": "message"}', "[1]", '{"@message": 7'])
def test_what_is_not_machine_readable_is_shown_as_it_is(line: str) -> None:
    assert OutputReader().read(line) == (line,)


@pytest.mark.parametrize(
    ("kind", "message", "progresses"),
    [
        ("apply_progress", "terraform_data.disk: Still creating... [10s elapsed]", False),
        ("apply_progress", "terraform_data.disk: Still destroying... [10s elapsed]", False),
        ("ephemeral_op_progress", "ephemeral.token: Still opening... (10s elapsed)", False),
        ("refresh_complete", "terraform_data.disk: Refresh complete", True),
        ("apply_start", "terraform_data.disk: Creating...", True),
        ("provision_progress", "terraform_data.disk: (local-exec): hello", True),
    ],
)
def test_only_what_terraform_repeats_while_it_waits_is_no_progress(
    kind: str, message: str, *, progresses: bool
) -> None:
    shown = OutputReader().read(json.dumps({"@message": message, "type": kind}))
    assert (shown is not None) is progresses


def test_an_empty_line_is_not_shown() -> None:
    assert OutputReader().read("  ") is None


@pytest.mark.parametrize("kind", ["planned_change", "apply_complete", "outputs", "diagnostic", "something_new"])
def test_a_line_without_its_usual_fields_breaks_nothing(kind: str) -> None:
    reader = OutputReader()
    reader.read(json.dumps({"@message": "m", "type": kind}))
    reader.read(
        json.dumps({"@message": "m", "type": kind, "change": 1, "hook": [], "outputs": {"a": 1}, "diagnostic": "x"})
    )
    assert reader.resources == ()
    assert reader.outputs == ()


def test_no_more_is_reported_than_a_status_holds() -> None:
    reader = OutputReader()
    for number in range(MOST_RESOURCES + 10):
        hook = {"resource": {"addr": f"a.{number}" + "x" * 600, "resource_type": "t" * 200}, "action": "create"}
        reader.read(json.dumps({"@message": "m", "type": "apply_complete", "hook": hook}))
    outputs = {f"o{number}": {"sensitive": False, "value": "v" * 5000} for number in range(MOST_OUTPUTS + 10)}
    reader.read(json.dumps({"@message": "m", "type": "outputs", "outputs": outputs}))
    assert len(reader.resources) == MOST_RESOURCES
    assert len(reader.outputs) == MOST_OUTPUTS
    assert {len(output.value) for output in reader.outputs} == {5000}  # cut once secrets are masked


def test_an_output_that_a_status_refuses_is_named_in_the_log() -> None:
    reader = OutputReader()
    outputs = {"größe": {"value": 1}, "kept": {"value": 2}}
    [notice] = reader.read(json.dumps({"@message": "m", "type": "outputs", "outputs": outputs})) or ()
    assert notice.startswith("Output größe is left out of the job's status")
    assert [output.name for output in reader.outputs] == ["kept"]


def test_resources_beyond_what_a_status_holds_are_announced_once() -> None:
    reader = OutputReader()
    shown: list[str] = []
    for number in range(MOST_RESOURCES + 2):
        hook = {"resource": {"addr": f"a.{number}", "resource_type": "t"}, "action": "create"}
        shown += reader.read(json.dumps({"@message": "m", "type": "apply_complete", "hook": hook})) or ()
    assert [line for line in shown if line != "m"] == [
        f"The job's status has room for {MOST_RESOURCES} resources; further ones are only here."
    ]
