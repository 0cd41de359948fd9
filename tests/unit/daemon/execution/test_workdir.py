"""The private directory of a run on a real disk."""

import asyncio
import stat
from pathlib import Path

import pytest

from provisioner_operator.daemon.execution.guard import UNSAVED_STATE, unsaved_states
from provisioner_operator.daemon.execution.workdir import Workdir, private_directory
from unit.daemon.builders import a_task


def use(parent: Path, *files: str) -> Workdir:
    """Make these files in a run's directory and leave it."""

    async def use() -> Workdir:
        async with private_directory(parent) as workdir:
            assert stat.S_IMODE(workdir.path.stat().st_mode) == 0o700
            for file in files:
                (workdir.path / file).parent.mkdir(parents=True, exist_ok=True)
                (workdir.path / file).write_text("secret")
            (workdir.path / "link").symlink_to("/")
            (workdir.path / "folder-link").symlink_to(parent)
        return workdir

    return asyncio.run(use())


def left(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_symlink() or path.is_file()
    )


def test_nothing_of_it_is_left(tmp_path: Path) -> None:
    use(tmp_path, "main.tf", ".terraform/providers/a", "repository/dev/main.tf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["", "repository/", "repository/environments/dev/"])
def test_a_state_that_was_not_saved_is_kept_wherever_terraform_ran(tmp_path: Path, folder: str) -> None:
    state = folder + UNSAVED_STATE
    workdir = use(tmp_path, "main.tf", "repository/modules/vm/main.tf", f"{folder}.terraform/providers/a", state)
    assert left(workdir.path) == [state]
    assert str(workdir.path / state) in workdir.how_to_save_state(a_task().job)


def test_what_terraform_downloaded_is_no_state(tmp_path: Path) -> None:
    use(tmp_path, f".terraform/modules/vm/{UNSAVED_STATE}")
    assert list(tmp_path.iterdir()) == []


def test_states_are_not_looked_for_behind_links(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / UNSAVED_STATE).touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "elsewhere")
    assert unsaved_states(tmp_path / "run") == []
