import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.terraform import state
from provisioner_operator.daemon.terraform.failure import BACKEND_OVERRIDDEN, explain_failure
from provisioner_operator.daemon.terraform.output import Diagnostic, OutputReader

DATA = Path(__file__).parent / "data"
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?", fullmatch=True)


@given(NAMES)
def test_a_suffix_is_one_that_the_backend_takes(workspace: str) -> None:
    suffix = state.secret_suffix(workspace)
    assert not suffix.rpartition("-")[2].isdigit()
    assert len(suffix) <= 63


@given(NAMES, NAMES)
def test_two_workspaces_never_share_a_state(one: str, other: str) -> None:
    assert (state.secret_suffix(one) == state.secret_suffix(other)) == (one == other)


def test_the_backend_of_a_workspace_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    access = state.ClusterAccess(Path("/etc/kubeconfig"))
    state.write_kubernetes_backend(tmp_path, namespace="acme", workspace="dev-7", access=access)
    settings = tmp_path / state.BACKEND_SETTINGS_FILE
    assert json.loads(settings.read_text()) == {
        "namespace": "acme",
        "secret_suffix": "dev-7-ws",
        "config_path": "/etc/kubeconfig",
    }
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_in_a_pod_the_backend_uses_the_service_account(tmp_path: Path) -> None:
    state.write_kubernetes_backend(tmp_path, namespace="acme", workspace="dev", access=state.ClusterAccess())
    assert json.loads((tmp_path / state.BACKEND_SETTINGS_FILE).read_text())["in_cluster_config"] is True


@pytest.mark.parametrize(
    ("backend", "stored"),
    [
        ({"type": "kubernetes", "config": {"namespace": "acme", "secret_suffix": "dev-ws"}}, True),
        ({"type": "kubernetes", "config": {"namespace": "acme", "secret_suffix": "other-ws"}}, False),
        ({"type": "local", "config": {"path": None}}, False),
        (None, False),
    ],
)
def test_a_state_kept_elsewhere_is_noticed(tmp_path: Path, backend: object, *, stored: bool) -> None:
    (tmp_path / ".terraform").mkdir()
    (tmp_path / ".terraform" / "terraform.tfstate").write_text(json.dumps({"backend": backend}))
    assert state.is_stored_under(tmp_path, namespace="acme", workspace="dev") is stored


def test_a_locked_state_is_reported_with_its_holder_and_how_to_release_it() -> None:
    reader = OutputReader()
    for line in (DATA / "locked.jsonl").read_text().splitlines():
        reader.read(line)
    failure = explain_failure("plan", 1, reader.errors, namespace="acme", workspace="dev")
    assert failure.reason is EndReason.STATE_LOCKED
    assert "locked by runner@pool-a-x7k2p since 2026-11-22 03:19:08" in failure.message
    assert "lock id 2e1b4a50-07a3-ddce-f2c0-2528167c31c3" in failure.message
    assert "kubectl -n acme delete lease lock-tfstate-default-dev-ws" in failure.message


def test_an_error_is_reported_with_its_place_and_the_number_of_others() -> None:
    errors = [Diagnostic("error", "No value", "Set\nit.", file="main.tf", line=3), Diagnostic("error", "Other")]
    failure = explain_failure("plan", 1, errors, namespace="acme", workspace="dev")
    assert failure.message == "Stage plan failed. No value at main.tf:3: Set it. (1 more in the log)"


@pytest.mark.parametrize(("code", "said"), [(126, "could not be started"), (137, "killed by signal 9"), (2, "code 2")])
def test_a_stage_that_named_no_error_is_reported_by_its_exit_code(code: int, said: str) -> None:
    assert said in explain_failure("apply", code, [], namespace="acme", workspace="dev").message


def test_a_template_that_overrides_the_backend_is_reported() -> None:
    error = Diagnostic("error", "Extraneous JSON object property", file=state.BACKEND_SETTINGS_FILE, line=1)
    assert explain_failure("init", 1, [error], namespace="acme", workspace="dev").message == BACKEND_OVERRIDDEN


@pytest.mark.parametrize(
    "detail",
    [
        "git exited with 128: fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
        "error looking up module versions: 401 Unauthorized",
        'error downloading "https://x.example.com/m.zip": bad response code: 403',
    ],
)
def test_an_init_that_lacks_a_login_says_where_to_name_one(detail: str) -> None:
    errors = [Diagnostic("error", "Failed to download module", detail)]
    said = "name its host and a Secret in spec.moduleCredentials"
    assert said in explain_failure("init", 1, errors, namespace="acme", workspace="dev").message
    assert said not in explain_failure("apply", 1, errors, namespace="acme", workspace="dev").message
