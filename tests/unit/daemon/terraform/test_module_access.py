"""Logins for private modules: only `init` gets them, in variables and in files that only its user can read."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import Stage, UnpreparedError
from provisioner_operator.daemon.inputs.logins import read_module_logins
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.module_access import FOLDER, ModuleAccess, git_environment, token_variable
from provisioner_operator.daemon.terraform.program import TerraformProgram
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube import paths
from support.programs.git_program import require_git
from unit.daemon.builders import Objects, a_secret, a_task

SECRETS = Objects(
    {
        paths.secret("acme", "git"): a_secret(username="joe", password="hunter2-hunter2"),
        paths.secret("acme", "registry"): a_secret(token="glpat-of-the-registry\n"),
        paths.secret("acme", "both"): a_secret(username="joe", password="hunter3", token="glpat-of-both"),
        paths.secret("acme", "spaced"): a_secret(username="joe", password="correct horse"),
    }
)
HOSTS = {"git.example.com:8443": "git", "app-1.example.com": "registry", "both.example.com": "both"}


def prepare(directory: Path, hosts: Mapping[str, str] | None = None, **spec: Any) -> TerraformProgram:
    logins = [
        {"host": host, "secretRef": {"name": secret}} for host, secret in (HOSTS if hosts is None else hosts).items()
    ]
    task = a_task(source={"inline": {"files": {"main.tf": ""}}}, moduleCredentials=logins, **spec)
    # No program is run here.
    terraform = Terraform(SECRETS, binaries=Binaries(Path("/bin/true")), access=ClusterAccess())
    return asyncio.run(terraform.prepare(task, directory))


def during(stage: Stage, look: Any) -> Any:
    """Return what a function returns while the stage runs."""

    async def wait(line: str) -> bool:
        del line
        return True

    async def run() -> Any:
        assert stage.around is not None
        async with stage.around(wait):
            return look()

    return asyncio.run(run())


def credentials_of(stage: Stage, host: str, username: str = "") -> dict[str, str]:
    """Ask git for the login at a host, as it does when a server asks for one."""
    require_git()
    request = f"protocol=https\nhost={host}\n" + (f"username={username}\n" if username else "")
    answer = subprocess.run(
        ["git", "credential", "fill"], input=request, capture_output=True, text=True, env=stage.environment, check=False
    )
    return dict(line.split("=", 1) for line in answer.stdout.splitlines())


def test_init_alone_gets_the_logins_and_only_while_it_runs(tmp_path: Path) -> None:
    program = prepare(tmp_path)
    init, *others = program.stages
    assert init.environment is not None
    assert init.environment["TF_TOKEN_app__1_example_com"] == "glpat-of-the-registry"
    assert init.environment["TF_TOKEN_both_example_com"] == "glpat-of-both"
    assert "TF_TOKEN_git_example_com:8443" not in init.environment, "a password is no token"
    assert [stage.environment for stage in others] == [None, None]
    secrets = ("hunter2-hunter2", "glpat-of-the-registry", "hunter3", "glpat-of-both")
    assert not any(value in str(program.environment) for value in (*secrets, "TF_TOKEN_", "NETRC"))
    assert set(secrets) <= set(program.secrets)

    def modes() -> dict[str, str]:
        return {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / FOLDER).iterdir()}

    assert not (tmp_path / FOLDER).exists()
    assert during(init, modes) == dict.fromkeys(("0", "1", "2", "netrc"), "0o600")
    assert during(init, lambda: oct((tmp_path / FOLDER).stat().st_mode & 0o777)) == "0o700"
    assert not (tmp_path / FOLDER).exists()


def test_git_gets_the_login_of_a_host_and_port_whatever_username_the_url_has(tmp_path: Path) -> None:
    init = next(iter(prepare(tmp_path).stages))
    login = {"protocol": "https", "host": "git.example.com:8443", "username": "joe", "password": "hunter2-hunter2"}
    assert during(init, lambda: credentials_of(init, "git.example.com:8443")) == login
    token = during(init, lambda: credentials_of(init, "app-1.example.com", "oauth2"))
    assert token["password"] == "glpat-of-the-registry"
    assert during(init, lambda: credentials_of(init, "git.example.com")) == {}, "another port is another server"


def test_the_file_for_archives_names_hosts_with_their_ports(tmp_path: Path) -> None:
    init = next(iter(prepare(tmp_path, {"git.example.com:8443": "git"}).stages))
    assert init.environment is not None
    netrc = Path(init.environment["NETRC"])
    expected = "machine git.example.com:8443\nlogin joe\npassword hunter2-hunter2\n"
    assert during(init, netrc.read_text) == expected


def test_settings_of_git_that_the_daemon_passes_on_are_kept(tmp_path: Path) -> None:
    access = ModuleAccess(tmp_path, asyncio.run(read_module_logins(SECRETS, a_task_for("registry").model)))
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.sslVersion", "GIT_CONFIG_VALUE_0": "tlsv1.3"}
    added = access.settings(given)
    assert added["GIT_CONFIG_COUNT"] == "3"
    assert "GIT_CONFIG_KEY_0" not in added
    assert added["GIT_CONFIG_KEY_1"] == added["GIT_CONFIG_KEY_2"] == "credential.https://git.example.com.helper"
    assert access.settings({"GIT_CONFIG_COUNT": "x"})["GIT_CONFIG_COUNT"] == "2"


def a_task_for(secret: str) -> Any:
    return a_task(moduleCredentials=[{"host": "git.example.com", "secretRef": {"name": secret}}])


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("none", "Secret none in namespace acme, for the login at git.example.com, does not exist"),
        ("spaced", "Secret spaced in namespace acme, for the login at git.example.com, has a value with a space"),
    ],
)
def test_a_login_that_cannot_be_used_names_its_secret_and_host(secret: str, message: str) -> None:
    with pytest.raises(UnpreparedError, match=message) as caught:
        asyncio.run(read_module_logins(SECRETS, a_task_for(secret).model))
    assert caught.value.failure.reason is EndReason.SOURCE_UNAVAILABLE
    assert "correct horse" not in str(caught.value)


def test_a_job_without_logins_has_neither_files_nor_variables(tmp_path: Path) -> None:
    init, *_ = prepare(tmp_path, {}).stages
    assert init.environment is None
    assert init.around is None
    assert list(ModuleAccess(tmp_path).settings({})) == []


@pytest.mark.parametrize(
    ("host", "name"),
    [("git.example.com", "TF_TOKEN_git_example_com"), ("a-b.example.com:8443", "TF_TOKEN_a__b_example_com:8443")],
)
def test_a_tokens_variable_is_spelled_as_terraform_reads_it(host: str, name: str) -> None:
    assert token_variable(host) == name


def test_git_trusts_what_terraform_trusts_and_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/ours.pem")
    environment = prepare(tmp_path, {}).environment
    assert environment["GIT_SSL_CAINFO"] == "/etc/ssl/ours.pem"
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert "GIT_SSL_CAINFO" not in git_environment({"PATH": os.defpath})
