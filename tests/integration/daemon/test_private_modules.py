"""Private modules from a git server, an archive and a registry, each of which demands a login, in real runs."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.conftest import Office
from provisioner_devcluster.control_plane.certificates import Authority
from support.programs.git_program import require_git
from support.programs.git_repository import Repository
from support.programs.git_server import GitServer, basic_auth, serving
from support.programs.registry_server import VERSION, RegistryServer, serving_modules

PASSWORD = "hunter2-hunter2"
TOKEN = "glpat-of-the-registry"
MODULE = """
variable "word" {}
resource "terraform_data" "it" { input = var.word }
output "word" { value = terraform_data.it.output }
"""
TEMPLATE = """
module "of_git" {
  source = "git::%(git)s?ref=main"
  word   = "git"
}
module "of_archive" {
  source = "https://%(registry)s/module.zip"
  word   = "archive"
}
module "of_registry" {
  source  = "%(registry)s/acme/thing/none"
  version = "%(version)s"
  word    = "registry"
}
resource "terraform_data" "seen" {
  provisioner "local-exec" {
    command = "env > '%(seen)s'; ls -a $HOME >> '%(seen)s'; cat $HOME/.provisioner-logins/*; echo '%(login)s'"
  }
}
output "words" { value = "${module.of_git.word} ${module.of_archive.word} ${module.of_registry.word}" }
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("modules", tmp_path_factory.mktemp("authority") / "it")


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    pair = authority.issue("server", "server", addresses=["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.fixture
def git(tmp_path: Path, tls: ssl.SSLContext) -> Iterator[GitServer]:
    require_git()
    repository = Repository(tmp_path / "module.git")
    repository.commit({"main.tf": MODULE})
    with serving(repository, tls=tls) as server:
        server.credentials = ("joe", PASSWORD)
        yield server


@pytest.fixture
def registry(tls: ssl.SSLContext) -> Iterator[RegistryServer]:
    with serving_modules({"main.tf": MODULE}, token=TOKEN, credentials=("joe", PASSWORD), tls=tls) as server:
        yield server


@pytest.fixture
def tofu_office(office: Office, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A daemon that trusts the servers, and the Secrets for them."""
    for name in ("GIT_SSL_CAINFO", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pair.certificate))
    login = ("--from-literal=username=joe", f"--from-literal=password={PASSWORD}")
    office.kubectl.run("create", "secret", "generic", "git", *login)
    office.kubectl.run("create", "secret", "generic", "registry", *login, f"--from-literal=token={TOKEN}")
    office.start_terraform("d1")
    return office


def a_spec(git: GitServer, registry: RegistryServer, seen: Path, **spec: Any) -> dict[str, Any]:
    values = {"git": git.url, "registry": registry.host, "version": VERSION, "seen": seen}
    login = basic_auth("joe", PASSWORD)
    template = TEMPLATE % (values | {"login": f"{TOKEN} {PASSWORD} {login}"})
    return {
        "transition": "Start",
        "workspaceRef": {"name": "dev"},
        "source": {"inline": {"files": {"main.tf": template}}},
        "moduleCredentials": [
            {"host": git.address.removeprefix("https://"), "secretRef": {"name": "git"}},
            {"host": registry.host, "secretRef": {"name": "registry"}},
        ],
    } | spec


def test_modules_are_fetched_with_their_logins_which_nothing_else_gets(
    tofu_office: Office, git: GitServer, registry: RegistryServer, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    tofu_office.submit_spec("one", a_spec(git, registry, seen))
    status = tofu_office.await_phase("one", "Completed")

    assert status["outputs"] == [{"name": "words", "value": "git archive registry"}]
    environment = seen.read_text()
    assert "HOME=" in environment
    for gone in ("TF_TOKEN_", "NETRC=", "GIT_CONFIG_", ".provisioner-logins", TOKEN, PASSWORD):
        assert gone not in environment, "apply has nothing of the logins"
    log = tofu_office.log("one")
    assert "(secret) (secret) Basic (secret)" in log
    shown = log + tofu_office.said() + str(status)
    for secret in (TOKEN, PASSWORD, basic_auth("joe", PASSWORD).removeprefix("Basic ")):
        assert secret not in shown


def test_an_import_fetches_modules_too(
    tofu_office: Office, git: GitServer, registry: RegistryServer, tmp_path: Path
) -> None:
    spec = a_spec(git, registry, tmp_path / "seen", type="TemplateImport")
    tofu_office.submit_spec("one", {name: spec[name] for name in ("type", "source", "moduleCredentials")})
    status = tofu_office.await_phase("one", "Completed")
    assert [timing["stage"] for timing in status["timings"]] == ["init", "validate", "inspect"]


def test_without_its_login_a_run_fails_and_says_what_to_name(
    tofu_office: Office, git: GitServer, registry: RegistryServer, tmp_path: Path
) -> None:
    spec = a_spec(git, registry, tmp_path / "seen")
    tofu_office.submit_spec("one", spec | {"moduleCredentials": spec["moduleCredentials"][1:]})
    status = tofu_office.await_phase("one", "Failed")
    assert status["reason"] == "RunFailed"
    assert "name its host and a Secret in spec.moduleCredentials" in status["message"]
    tofu_office.submit_spec(
        "two", spec | {"moduleCredentials": [{"host": "x.example.com", "secretRef": {"name": "no"}}]}
    )
    status = tofu_office.await_phase("two", "Failed")
    assert status["reason"] == "SourceUnavailable"
    assert status["message"].startswith("Secret no in namespace ")
