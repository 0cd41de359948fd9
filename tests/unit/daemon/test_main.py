"""The command line of the daemon: what its options become, and what it says of those that it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.daemon import __main__ as program
from provisioner_operator.daemon.logs.output_writer import OutputWriter
from provisioner_operator.daemon.predecessor_lock import PredecessorLockError
from provisioner_operator.daemon.reporting.heartbeat import DaemonDeletedError, TakenOverError
from provisioner_operator.daemon.reporting.registration import Flags, RegistrationError
from provisioner_operator.daemon.service import Settings, provider_directory
from provisioner_operator.daemon.terraform.binaries.binary import Binaries, MissingProgramError
from provisioner_operator.daemon.terraform.binaries.version import UnsupportedProgramError
from provisioner_operator.kube.logins.login import LoginError


class Served:
    """Stands where the daemon would be served, and keeps its settings."""

    def __init__(self) -> None:
        self.settings: list[Settings] = []
        self.failure: Exception | None = None

    async def __call__(self, settings: Settings, _output: OutputWriter) -> None:
        self.settings.append(settings)
        if self.failure is not None:
            raise self.failure

    def called(self, *arguments: str, **environment: str) -> Result:
        given = dict.fromkeys(("POD_NAMESPACE", "POD_NAME", "POD_UID", "KUBECONFIG")) | environment
        return CliRunner().invoke(program.main, ["run", *arguments], env=given)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    served = Served()
    monkeypatch.setattr(program, "serve", served)
    return served


def test_options_become_settings(served: Served, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.touch()
    result = served.called(
        *("--namespace", "acme", "--name", "d1", "--kubeconfig", str(kubeconfig), "--work-dir", str(tmp_path)),
        *("--tag", "region=eu", "--tag", "query=a=b", "--tag", "empty="),
        *("--provisioner", "terraform", "--provisioner", "echo", "--provisioner", "terraform"),
        *("--capacity", "4", "--lost-after-seconds", "60", "--cancel-grace-seconds", "0", "--terraform", "/bin/tofu"),
        *("--pass-env", "AWS_*", "--pass-env", "VAULT_TOKEN"),
        *("--drain-seconds", "600", "--terraform-directory", str(tmp_path), "--terraform-directory", "/opt"),
    )
    assert result.exit_code == 0
    tags = {"region": "eu", "query": "a=b", "empty": ""}
    binaries = Binaries(Path("/bin/tofu"), (tmp_path, Path("/opt")))
    flags = Flags(tags, (Provisioner.TERRAFORM, Provisioner.ECHO), 4, 60, 0)
    assert served.settings == [
        Settings("acme", "d1", None, flags, kubeconfig, binaries, tmp_path, 600, ("AWS_*", "VAULT_TOKEN"))
    ]


def test_fields_without_an_option_are_left_as_they_are(served: Served) -> None:
    assert served.called("--namespace", "acme").exit_code == 0
    [settings] = served.settings
    assert settings.flags.as_spec() == {}
    assert settings.name == settings.name.lower() != ""
    assert settings.directory.is_dir()


def test_a_pod_says_by_its_environment_who_the_daemon_is(served: Served) -> None:
    assert served.called(POD_NAMESPACE="acme", POD_NAME="builder-1", POD_UID="u1").exit_code == 0
    [settings] = served.settings
    assert (settings.namespace, settings.name, settings.pod_uid) == ("acme", "builder-1", "u1")


def test_a_pod_says_how_long_runs_may_take_to_end_and_without_its_word_that_is_unlimited(served: Served) -> None:
    served.called("--namespace", "acme", PROVISIONER_DRAIN_SECONDS="3790")
    served.called("--namespace", "acme")
    assert [settings.drain_seconds for settings in served.settings] == [3790, None]


def test_an_image_says_where_further_versions_of_terraform_are(served: Served, tmp_path: Path) -> None:
    served.called("--namespace", "acme", PROVISIONER_TERRAFORM_DIRECTORIES=f"{tmp_path}:/opt")
    assert served.settings[0].binaries == Binaries(None, (tmp_path, Path("/opt")))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--namespace", "acme", "--tag", "region"], "'region' is not KEY=VALUE"),
        (["--namespace", "acme", "--tag", "=eu"], "'' is not KEY=VALUE"),
        (["--namespace", "acme", "--provisioner", "ansible"], "'ansible' is not one of"),
        (["--namespace", "acme", "--capacity", "0"], "0 is not in the range"),
        (["--namespace", "acme", "--lost-after-seconds", "9"], "9 is not in the range"),
        (["--namespace", "acme", "--cancel-grace-seconds", "-1"], "-1 is not in the range"),
        (["--namespace", "acme", "--drain-seconds", "-1"], "-1 is not in the range"),
        (["--namespace", "acme", "--kubeconfig", "/nonexistent"], "does not exist"),
        (["--namespace", "acme", "--terraform-directory", "/nonexistent"], "does not exist"),
        (
            ["--namespace", "acme", "--pass-env", "POD_NAME"],
            "POD_NAME is reserved: it belongs to the daemon's own identity",
        ),
        (["--namespace", "acme", "--pass-env", "TF_WORKSPACE"], "TF_WORKSPACE is reserved: a run sets it itself"),
        (["--namespace", "acme", "--pass-env", "*"], "'*' is neither the NAME of a variable nor a PREFIX*"),
        ([], "Missing option '--namespace'"),
    ],
)
def test_what_cannot_be_meant_is_refused(served: Served, arguments: list[str], said: str) -> None:
    result = served.called(*arguments)
    assert (result.exit_code, served.settings) == (2, [])
    assert said in " ".join(result.output.split())


def test_a_pools_daemon_learns_from_its_environment_what_to_pass_on(served: Served) -> None:
    assert served.called("--namespace", "acme", PROVISIONER_PASS_ENV="AWS_* AZURE_CLIENT_ID").exit_code == 0
    assert served.settings[0].pass_env == ("AWS_*", "AZURE_CLIENT_ID")


def test_a_daemon_in_a_pod_takes_nothing_that_its_pod_says(served: Served) -> None:
    result = served.called("--namespace", "acme", "--pod-uid", "u1", "--tag", "a=b", "--capacity", "2")
    assert (result.exit_code, served.settings) == (2, [])
    assert "A daemon in a Pod takes no tags, capacity from its command line" in result.output


@pytest.mark.parametrize(
    "error",
    [
        TakenOverError,
        DaemonDeletedError,
        RegistrationError,
        PredecessorLockError,
        LoginError,
        MissingProgramError,
        UnsupportedProgramError,
    ],
)
def test_an_expected_failure_is_a_sentence_and_no_traceback(served: Served, error: type[Exception]) -> None:
    served.failure = error("Do this instead.")
    result = served.called("--namespace", "acme")
    assert result.exit_code == 1
    assert "Error: Do this instead." in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("given", "directory"), [("/kept", Path("/kept")), ("kept", Path.cwd() / "kept"), ("", None)])
def test_providers_are_kept_where_terraforms_cache_would_be(given: str, directory: Path | None) -> None:
    assert provider_directory({"TF_PLUGIN_CACHE_DIR": given}) == directory
    assert provider_directory({}) is None
