"""The private directory of a run on a real disk."""

import asyncio
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioner_operator.daemon.execution.guard import UNSAVED_STATE, open_folders, unsaved_states
from provisioner_operator.daemon.execution.workdir import PREFIX, Workdir, private_directory, sweep
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


NOBODY = 65_534
OWN = f"{PREFIX}1234abcd-"


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory in which any user may write."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)


def without_privileges(work: Callable[[], object]) -> None:
    """Do the work in a process of a user whom modes of files bind; root ignores them."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.seteuid(NOBODY)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def closed_tree(parent: Path, name: str) -> Path:
    """Make a run's directory with folders that let nobody read, write or enter."""
    run = parent / name
    (run / "cache" / "module" / "deep").mkdir(parents=True)
    (run / "cache" / "module" / "deep" / "main.tf").touch()
    (run / "cache" / "module" / "deep").chmod(0o555)
    (run / "cache" / "module").chmod(0o000)
    (run / "cache").chmod(0o500)
    return run


def test_a_read_only_tree_is_removed_with_its_run(public: Path) -> None:
    async def run() -> None:
        async with private_directory(public) as workdir:
            closed_tree(workdir.path, "module")

    without_privileges(lambda: asyncio.run(run()))
    assert list(public.iterdir()) == []


def test_a_state_in_a_closed_folder_is_found_and_kept(public: Path) -> None:
    async def run() -> None:
        async with private_directory(public) as workdir:
            (workdir.path / "closed").mkdir()
            (workdir.path / "closed" / UNSAVED_STATE).touch()
            (workdir.path / "closed").chmod(0o000)

    without_privileges(lambda: asyncio.run(run()))
    [kept] = public.iterdir()
    assert left(kept) == [f"closed/{UNSAVED_STATE}"]


def test_all_folders_are_opened(tmp_path: Path) -> None:
    run = closed_tree(tmp_path, "run")
    run.chmod(0o500)
    open_folders(run)
    folders = [run, *(path for path in run.rglob("*") if path.is_dir())]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folders} == dict.fromkeys(
        ("run", "cache", "module", "deep"), 0o700
    )


def test_links_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o500)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "elsewhere")
    open_folders(tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o500


def test_what_runs_of_a_former_process_left_is_swept_and_nothing_else(public: Path) -> None:
    others = [f"{PREFIX}ffffffff-other", f"{PREFIX}older", "else"]

    def leave_and_sweep() -> None:
        for name in others:
            (public / name).mkdir()
        (public / f"{OWN}file").touch()
        (public / f"{OWN}link").symlink_to(public / "else")
        (public / f"{OWN}killed").mkdir()
        (public / f"{OWN}killed" / "secret").touch()
        closed_tree(public, f"{OWN}closed")
        sweep(public, OWN)

    without_privileges(leave_and_sweep)
    assert sorted(path.name for path in public.iterdir()) == sorted([*others, f"{OWN}file", f"{OWN}link"])


def test_a_state_that_a_former_run_could_not_save_is_kept_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / f"{OWN}killed"
    (run / "repository").mkdir(parents=True)
    (run / "main.tf").touch()
    (run / "repository" / UNSAVED_STATE).touch()
    with caplog.at_level(logging.INFO):
        sweep(tmp_path, OWN)
    assert left(tmp_path) == [f"{OWN}killed/repository/{UNSAVED_STATE}"]
    assert str(run / "repository" / UNSAVED_STATE) in caplog.text
    assert "Removed" not in caplog.text


def test_a_directory_of_another_user_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{OWN}planted").mkdir()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    sweep(tmp_path, OWN)
    assert (tmp_path / f"{OWN}planted").exists()
