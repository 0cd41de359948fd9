"""The folder of the programs of a test process ends with it."""

import subprocess
import sys
from pathlib import Path

from support.programs.session_folder import session_folder


def test_the_folder_is_short_and_goes_with_its_process(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path}; from support.programs.session_folder import session_folder; "
        "(session_folder() / 'left').touch(); print(session_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={"TMPDIR": str(tmp_path)}
    )
    folder = Path(done.stdout.strip())
    assert folder.parent == tmp_path
    assert len(folder.name) < 20
    assert not folder.exists()


def test_a_process_has_one_folder() -> None:
    assert session_folder() == session_folder()
    assert session_folder().is_dir()
