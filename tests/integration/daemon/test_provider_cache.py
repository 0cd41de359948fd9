"""Jobs of one daemon that keeps providers, as its environment says, for all its runs."""

import tempfile
from pathlib import Path

import pytest

from integration.daemon.conftest import Office
from support.programs.provider_server import serving_coder_provider

CODE = 'terraform {\n  required_providers {\n    coder = {\n      source = "coder/coder"\n    }\n  }\n}\n'
JOBS = 6


def test_jobs_that_start_at_once_fetch_a_provider_once(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "not" / "there"
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(kept))
    # Not below pytest's own: a provider's socket lies in it, and a socket's path is short.
    with serving_coder_provider(tmp_path) as mirror, tempfile.TemporaryDirectory(prefix="cache-") as work:
        for name, value in mirror.environment.items():
            monkeypatch.setenv(name, value)
        office.start_terraform("d1", "--work-dir", work, "--capacity", str(JOBS))
        source = {"inline": {"files": {"main.tf": CODE}}}
        for number in range(JOBS):
            office.submit_spec(f"import-{number}", {"type": "TemplateImport", "source": source})
        for number in range(JOBS):
            office.await_phase(f"import-{number}", "Completed")
        assert mirror.server.downloads == 1
    assert [path.name for path in kept.glob("packages/*/*/*")] == ["coder"]
