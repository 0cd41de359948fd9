"""Unsaved states in the directories of runs."""

import json
import zipfile
from pathlib import Path

from provisioner_operator.daemon.execution.guard import RUN_RECORD
from provisioner_operator.daemon.execution.unsaved_state import StateVersion, find_unsaved_state, write_record
from provisioner_operator.daemon.execution.workdir import PREFIX, sweep
from provisioner_operator.daemon.saving.leftovers import gather_evidence, unsaved_states_in
from unit.daemon.saving.builders import a_record, a_state, an_unsaved_state


def initialize(module: Path, backend: str = "kubernetes") -> None:
    (module / ".terraform").mkdir()
    config = {"namespace": "acme", "secret_suffix": "dev-ws"}
    settings = {"backend": {"type": backend, "config": config}}
    (module / ".terraform" / "terraform.tfstate").write_text(json.dumps(settings))


def test_what_only_the_runs_files_show_is_recorded_before_they_are_swept(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path, f"{PREFIX}1-a", folder="repository/dev")
    module = unsaved.file.parent
    initialize(module)
    with zipfile.ZipFile(module / "provisioner.tfplan", "w") as plan:
        plan.writestr("tfstate", a_state(1))
    (tmp_path / f"{PREFIX}1-b").mkdir()
    an_unsaved_state(tmp_path, f"{PREFIX}2-of-another-daemon")

    for _ in range(2):
        (found,) = unsaved_states_in(tmp_path, f"{PREFIX}1-")
        assert found.run == a_record(folder="repository/dev", base=StateVersion("one", 1))
        sweep(tmp_path, f"{PREFIX}1-")
    left = sorted(path.name for path in unsaved.directory.rglob("*") if path.is_file())
    assert left == ["errored.tfstate", RUN_RECORD]


def test_a_state_of_a_templates_own_backend_is_known_as_such(tmp_path: Path) -> None:
    unsaved = an_unsaved_state(tmp_path)
    initialize(unsaved.file.parent, "http")
    found = gather_evidence(unsaved.directory)
    assert found is not None
    assert not found.run.in_cluster


def test_nothing_outside_the_runs_directory_is_taken_for_its_state(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "errored.tfstate").touch()
    write_record(tmp_path / "run", a_record(folder="../elsewhere"))
    assert find_unsaved_state(tmp_path / "run") is None
    (tmp_path / "run" / "errored.tfstate").symlink_to(tmp_path / "elsewhere" / "errored.tfstate")
    write_record(tmp_path / "run", a_record())
    assert find_unsaved_state(tmp_path / "run") is None
