"""Settings come from the environment and the command line, and a wrong one is named."""

import pytest
from click.testing import CliRunner

from provisioner_operator.web.__main__ import main
from provisioner_operator.web.settings import Settings


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_WEB_ALLOWED_HOSTS", "jobs.example.com, jobs ,")
    monkeypatch.setenv("PROVISIONER_WEB_NAMESPACES", "red,blue")

    assert Settings().allowed_hosts == ("jobs.example.com", "jobs")
    assert Settings().namespaces == ("red", "blue")


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_WEB_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,192.0.2.1")
    assert [str(each) for each in Settings().trusted_proxies] == ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]

    monkeypatch.setenv("PROVISIONER_WEB_TRUSTED_PROXIES", "ingress.example.com")
    result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 2
    assert "PROVISIONER_WEB_TRUSTED_PROXIES" in result.output


def test_limits_are_those_of_coder_unless_set() -> None:
    assert Settings().requests_per_minute == 512
    assert Settings().logins_per_minute < Settings().requests_per_minute


def test_a_wrong_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_WEB_REQUESTS_PER_MINUTE", "0")

    result = CliRunner().invoke(main, ["run"])

    assert result.exit_code == 2
    assert "PROVISIONER_WEB_REQUESTS_PER_MINUTE" in result.output


def test_without_a_cluster_the_server_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")

    result = CliRunner().invoke(main, ["run", "--http-port=0"])

    assert result.exit_code == 1
    assert "No cluster given" in result.output


@pytest.mark.parametrize("command", ["run", "local"])
def test_each_command_has_a_help_text(command: str) -> None:
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


def test_a_local_server_needs_a_kubeconfig(tmp_path: object) -> None:
    result = CliRunner().invoke(main, ["local", f"--kubeconfig={tmp_path}/missing"])

    assert result.exit_code == 1
    assert "kubeconfig" in result.output
    assert "Traceback" not in result.output
