import json
import stat
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.terraform.failure import explain_failure
from provisioner_operator.daemon.terraform.output import Diagnostic
from provisioner_operator.daemon.terraform.state import BACKEND_SETTINGS_FILE
from provisioner_operator.daemon.terraform.template_backend import BACKENDS, TemplateBackend

BACKEND = TemplateBackend({"bucket": "states", "secret_key": "hunter2"})


def test_the_settings_are_written_for_their_owner_alone_and_shown_to_nobody(tmp_path: Path) -> None:
    BACKEND.write(tmp_path)
    written = tmp_path / BACKEND_SETTINGS_FILE
    assert json.loads(written.read_text()) == {"bucket": "states", "secret_key": "hunter2"}
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert "hunter2" not in repr(BACKEND)


def initialized(directory: Path, record: object) -> Path:
    (directory / ".terraform").mkdir()
    (directory / ".terraform" / "terraform.tfstate").write_text(json.dumps(record))
    return directory


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_that_keeps_the_state_elsewhere_is_accepted(tmp_path: Path, backend: str) -> None:
    assert BACKEND.fault(initialized(tmp_path, {"backend": {"type": backend}})) is None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"backend": {"type": "local"}}, "name no backend"),
        ({"backend": {"type": "remote"}}, "name the backend remote"),
        ({"backend": None}, "name no backend"),
        ({}, "name no backend"),
    ],
)
def test_files_that_keep_the_state_nowhere_are_refused(tmp_path: Path, record: object, said: str) -> None:
    assert said in (BACKEND.fault(initialized(tmp_path, record)) or "")


def test_files_without_any_backend_are_refused(tmp_path: Path) -> None:
    assert "name no backend" in (BACKEND.fault(tmp_path) or "")


def test_a_lock_in_the_backend_is_released_by_terraform_itself() -> None:
    error = Diagnostic("error", "Error acquiring the state lock", "Lock Info:\n  ID: 1-2-3\n  Who: joe@host\n")
    failure = explain_failure("plan", 1, [error], namespace="acme", workspace="dev", in_own_backend=True)
    assert failure.reason is EndReason.STATE_LOCKED
    assert "locked by joe@host" in failure.message
    assert "force-unlock 1-2-3" in failure.message
    assert "delete lease" not in failure.message


def test_the_backend_http_names_only_the_id_of_the_holder_and_otherwise_itself() -> None:
    detail = "Error message: HTTP remote state already locked: ID=1-2-3\nLock Info:\n  ID: 4-5-6\n  Who: this@run\n"
    error = Diagnostic("error", "Error acquiring the state lock", detail)
    message = explain_failure("plan", 1, [error], namespace="acme", workspace="dev", in_own_backend=True).message
    assert "is locked (lock id 1-2-3; the backend does not say by whom)" in message
    assert "4-5-6" not in message
