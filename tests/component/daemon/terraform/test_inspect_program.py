"""The program of the stage `inspect` as a process: what it reports of a module, and what it cannot read."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.limits import MOST_VARIABLES
from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.terraform.declarations import DECLARE
from provisioner_operator.daemon.terraform.inspection import program as program_of_the_stage
from provisioner_operator.daemon.terraform.inspection.output import InspectReader
from provisioner_operator.daemon.terraform.inspection.program import LARGEST_FILE
from provisioner_operator.daemon.terraform.inspection.stage import inspect_stage
from provisioner_operator.daemon.terraform.value_files import Syntax

DEEP = "[" * 5_000 + "]" * 5_000


@dataclass(frozen=True)
class Inspected:
    reader: InspectReader
    log: list[str]


def inspected(directory: Path, **files: str | bytes) -> Inspected:
    folder = directory / "module"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    stage = inspect_stage(directory, "module")
    answer = subprocess.run(
        stage.arguments,
        cwd=directory / stage.folder,
        env=dict(stage.environment or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    reader = InspectReader()
    return Inspected(reader, [shown for line in answer.stdout.splitlines() for shown in reader.read(line)])


def test_variables_and_resources_are_reported_and_overrides_come_last(tmp_path: Path) -> None:
    found = inspected(
        tmp_path,
        **{
            "a_override.tf": 'variable "region" {\n  default = "eu"\n}',
            "main.tf": 'variable "region" {\n  type = string\n  description = "Where\\nit runs"\n}',
            "disk.tf.json": '{"resource": {"terraform_data": {"disk": {}}}}',
            "README.md": 'variable "no" {}',
        },
    )
    [region] = found.reader.variables
    assert region == DeclaredVariable("region", "string", required=False, description="Where\nit runs")
    assert found.reader.resources == [ResourceChange("terraform_data.disk", "terraform_data", DECLARE)]
    assert found.log == []
    assert found.reader.summary() == "The template declares 1 variables and 1 resources."


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b'variable "x" {', "File broken.tf could not be parsed"),
        (b"\xff\xfe", "File broken.tf could not be parsed"),
        (b"#" * (LARGEST_FILE + 1), f"it has {LARGEST_FILE + 1:,} bytes, and at most {LARGEST_FILE:,} are read"),
        (f"x = {DEEP}]".encode(), "File broken.tf could not be parsed"),
    ],
    ids=["no Terraform", "no UTF-8", "too large", "too deep"],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_reported(
    tmp_path: Path, broken: bytes, said: str
) -> None:
    found = inspected(tmp_path, **{"broken.tf": broken, "main.tf": b'variable "region" {}'})
    assert [variable.name for variable in found.reader.variables] == ["region"]
    assert len(found.log) == 1
    assert said in found.log[0]


def test_the_largest_file_is_read_and_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    declaration = b'\xef\xbb\xbfvariable "region" {}\n'
    found = inspected(tmp_path, **{"main.tf": declaration + b"#" * (LARGEST_FILE - len(declaration))})
    assert [variable.name for variable in found.reader.variables] == ["region"]


def test_a_template_cannot_write_lines_of_its_own(tmp_path: Path) -> None:
    name = 'x.tf\nvariable: {"name": "forged", "required": true}.tf'
    found = inspected(tmp_path, **{name: "variable {"})
    assert found.reader.variables == []


def test_a_template_with_several_broken_files_loses_nothing_of_the_others(tmp_path: Path) -> None:
    found = inspected(
        tmp_path,
        **{
            "a.tf": b"variable {{{",
            "b.tf": b'variable "kept" {}',
            "c.tf": b"\xff\xfe",
            "d.tf": b"#" * (LARGEST_FILE + 1),
            "variable: {}\nresource: {}.tf": b"}",
        },
    )
    assert [variable.name for variable in found.reader.variables] == ["kept"]
    assert found.reader.resources == []
    assert [line.split(" could not be parsed")[0] for line in found.log] == [
        "File a.tf",
        "File c.tf",
        "File d.tf",
        "File variable: {} resource: {}.tf",
    ]


def test_variables_are_reported_with_their_types_in_the_order_of_the_files(tmp_path: Path) -> None:
    source = 'variable "region" {}\nvariable "token" {\n  sensitive = true\n}\nvariable bare {}\n'
    source += 'variable "sizes" {\n  type = map(number)\n}\n'
    source += 'resource "docker_container" "workspace" {}\nresource "docker_volume" "home" {}\n'
    found = inspected(tmp_path, **{"main.tf": source})
    assert [variable.name for variable in found.reader.variables] == ["region", "token", "bare", "sizes"]
    assert [variable.sensitive for variable in found.reader.variables] == [False, True, False, False]
    assert [each.address for each in found.reader.resources] == ["docker_container.workspace", "docker_volume.home"]
    assert found.log == []
    assert found.reader.summary() == "The template declares 4 variables and 2 resources."


def test_it_reports_how_text_is_read_for_each_variable(tmp_path: Path) -> None:
    found = inspected(
        tmp_path,
        **{
            "main.tf": 'variable "bare" {}\nvariable "any" { type = any }\nvariable "n" { type = number }\n'
            'variable "list" { type = list(string) }\nvariable "odd" { type = map(any) }\n'
            'variable "e" {\n  type = string\n  ephemeral = true\n}\n',
            "a_override.tf": 'variable "odd" { type = string }\n',
            "x.tf.json": '{"variable": {"object": {"type": "object({a = string})"}}}',
            "broken.tf": "variable {",
            "main.tofu": "",
        },
    )
    assert found.reader.syntax == Syntax(
        declared={"bare", "any", "n", "list", "odd", "e", "object"},
        expressions={"any", "list", "object"},
        ephemeral={"e"},
        unread=["broken.tf", "main.tofu"],
    )
    assert [line.split(",")[0].split(" could")[0] for line in found.log] == [
        "File main.tofu was not read",
        "File broken.tf",
    ]


def test_variables_that_a_status_cannot_show_are_named(tmp_path: Path) -> None:
    declared = "".join(f'variable "v{number}" {{}}\n' for number in range(MOST_VARIABLES + 1))
    found = inspected(tmp_path, **{"main.tf": 'variable "größe" {}\n' + declared})
    assert len(found.log) == 2
    assert found.log[0].startswith("Variable größe is left out")
    assert found.log[1].startswith(f"The template declares {MOST_VARIABLES + 1} variables")


def test_its_start_imports_no_models() -> None:
    """They take five times what the program needs itself, and it starts once for each import of a template."""
    program = f"import sys, {program_of_the_stage.__name__}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0
