"""Values of the job and values in files of its source: which are looked at, and what is written."""

import json
import stat
from pathlib import Path

import pytest

from provisioner_operator.daemon.terraform.value_files import (
    EPHEMERAL_FILE,
    FILE,
    Syntax,
    UnreadableValueError,
    ValueFiles,
)

MOST_BYTES = 4_000_000

VALUES = {"region": "eu", "sizes": "[1, 2]", "token": "t", "provisioner_owner": "joe"}


def values(directory: Path, **files: str) -> ValueFiles:
    module = directory / "module"
    module.mkdir()
    for name, text in files.items():
        (module / name).write_text(text)
    return ValueFiles(module, directory, VALUES)


def written(directory: Path, name: str = FILE) -> dict[str, object]:
    found: dict[str, object] = json.loads((directory / name).read_text())
    return found


@pytest.mark.parametrize(
    ("name", "text", "contested"),
    [
        ("terraform.tfvars", 'region = "us"', {"region"}),
        ("terraform.tfvars.json", '{"region": "us"}', {"region"}),
        ("x.auto.tfvars", 'sizes = [\n  1\n]\nprovisioner_owner="me"', {"sizes", "provisioner_owner"}),
        (".auto.tfvars.json", '{"token": 1}', {"token"}),
        ("x.auto.tfvars.json", '{"\\u0072egion": "us"}', set(VALUES)),
        ("x.auto.tfvars", "#" * (MOST_BYTES + 1), set(VALUES)),
        ("terraform.tfvars", 'other = "us"\nregions = 1', set()),
        ("production.tfvars", 'region = "us"', set()),
        ("main.tf", 'variable "region" {}', set()),
    ],
)
def test_only_files_that_terraform_reads_by_itself_contest_a_variable(
    tmp_path: Path, name: str, text: str, contested: set[str]
) -> None:
    found = values(tmp_path, **{name: text})
    assert found.search() == bool(contested)
    assert found.contested == contested


def test_a_value_is_written_as_terraform_would_read_it_from_the_environment(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "region\nsizes\nprovisioner_owner"})
    found.search()
    lines = found.write(Syntax(declared={"region", "sizes", "token"}, expressions={"sizes"}))
    assert written(tmp_path) == {"region": "eu", "sizes": [1, 2]}
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert lines == ("The source's files of values may set region, sizes; the job's values count.",)
    assert found.arguments() == (f"-var-file={tmp_path / FILE}",)
    assert found.apply_arguments(is_tofu=False) == ()
    assert found.apply_arguments(is_tofu=True) == found.arguments()


def test_an_ephemeral_value_is_given_to_the_apply_too(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "region\ntoken"})
    found.search()
    found.write(Syntax(declared={"region", "token"}, ephemeral={"token"}))
    assert written(tmp_path) == {"region": "eu", "token": "t"}
    assert written(tmp_path, EPHEMERAL_FILE) == {"token": "t"}
    assert found.apply_arguments(is_tofu=False) == (f"-var-file={tmp_path / EPHEMERAL_FILE}",)


def test_a_variable_that_an_unread_file_may_declare_is_passed_as_text(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "region\nsizes"})
    found.search()
    lines = found.write(Syntax(declared={"region"}, unread=["odd.tf"]))
    assert written(tmp_path) == {"region": "eu", "sizes": "[1, 2]"}
    assert lines[1] == "The values of sizes are passed as text: odd.tf could not be read."


def test_nothing_is_written_for_variables_that_are_not_declared(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "provisioner_owner"})
    found.search()
    assert found.write(Syntax(declared={"region"})) == ()
    assert found.arguments() == ()
    assert not (tmp_path / FILE).exists()


def test_a_file_of_the_source_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "region"})
    (tmp_path / "other").write_text("kept")
    (tmp_path / FILE).symlink_to(tmp_path / "other")
    found.search()
    found.write(Syntax(declared={"region"}))
    assert written(tmp_path) == {"region": "eu"}
    assert (tmp_path / "other").read_text() == "kept"


def test_an_expression_that_cannot_be_put_above_a_file_is_named(tmp_path: Path) -> None:
    found = values(tmp_path, **{"terraform.tfvars": "region"})
    found.search()
    with pytest.raises(UnreadableValueError, match=r"may set variable region, .* Write the value as JSON, or remove"):
        found.write(Syntax(declared={"region"}, expressions={"region"}))
