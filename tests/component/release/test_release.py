"""A release, built twice from copies of the checkout: it is the same, complete, verifiable, and its programs run."""

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from component.release.checkout import HERE, PLATFORM, build_release, copy_checkout
from release.checksums import digest_of
from release.plugin import locked_requirements
from release.source import source_of
from support.manifests import REPOSITORY, Manifest

pytestmark = [
    pytest.mark.skipif(not HERE, reason=f"there are no archives of the command line for {PLATFORM}"),
    pytest.mark.timeout(3000),
]

_RUN_TIMEOUT = 240
_DAY = 86_400
_IMPORT_ALL = """
import pkgutil, sys
sys.path[:1] = [{0!r} + "/lib", {0!r} + "/lib-%d.%d" % sys.version_info[:2]]
import provisioner_operator.cli as cli
assert cli.__file__.startswith({0!r}), cli.__file__
# The page, for one user, is a server: it needs the extra `web`. A module's manual is generated in a checkout.
names = [each.name for each in pkgutil.walk_packages(cli.__path__, "provisioner_operator.cli.")]
for name in names:
    if not name.startswith("provisioner_operator.cli.web") and name != "provisioner_operator.cli.manual":
        __import__(name)
assert len(names) > 50, names
"""


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two releases of the same sources, in other folders, on another day, with other settings of the machine."""
    one = copy_checkout(tmp_path_factory.mktemp("one"), changed=1_700_000_000)
    two = copy_checkout(tmp_path_factory.mktemp("another-maintainer") / "checkout", changed=1_700_000_000 + 7 * _DAY)
    return (
        build_release(one, one / "dist", umask=0o022, TZ="UTC", LANG="C.UTF-8"),
        build_release(two, two / "out", umask=0o077, TZ="Asia/Tokyo", LANG="C", PYTHONHASHSEED="7"),
    )


@pytest.fixture(scope="module")
def release(releases: tuple[Path, Path]) -> Path:
    """One of them."""
    return releases[0]


@pytest.fixture(scope="module")
def plugin(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the command line, unpacked."""
    target = tmp_path_factory.mktemp("plugin")
    with tarfile.open(release / f"kubectl-provisioner-{PLATFORM}.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return target


def test_two_builds_are_equal(releases: tuple[Path, Path]) -> None:
    one, two = ({each.name: digest_of(each) for each in folder.iterdir()} for folder in releases)

    assert one == two


def test_the_digests_cover_every_file(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text("utf-8").splitlines()

    digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert digests == {each.name: digest_of(each) for each in release.iterdir() if each.name != "SHA256SUMS"}


def test_the_command_line_runs_where_only_python_is(plugin: Path) -> None:
    shown = _run_alone(plugin / "kubectl-provisioner", "jobs", "--help")
    completed = _run_alone(plugin / "kubectl_complete-provisioner", "jobs", "l")

    assert "kubectl provisioner jobs" in shown.stdout
    assert completed.stdout.startswith("list\t")


def test_a_cluster_that_is_not_there_is_an_error_without_a_traceback(plugin: Path, tmp_path: Path) -> None:
    failed = _run_alone(plugin / "kubectl-provisioner", "jobs", "list", f"--kubeconfig={tmp_path / 'none'}")

    assert failed.returncode != 0
    assert failed.stderr.startswith("Error: ")


def test_a_link_to_the_program_runs_it_as_krew_does(plugin: Path, tmp_path: Path) -> None:
    link = tmp_path / "kubectl-provisioner"
    link.symlink_to(plugin / "kubectl-provisioner")

    assert _run_alone(link, "--help").returncode == 0


def test_every_module_of_the_command_line_finds_what_it_imports(plugin: Path) -> None:
    # Without this machine's own packages.
    checked = _run_alone(Path("/usr/bin/env"), "python3", "-IS", "-c", _IMPORT_ALL.format(str(plugin)))

    assert checked.returncode == 0, checked.stderr


def test_another_python_is_refused_with_the_reason(plugin: Path, tmp_path: Path) -> None:
    script = tmp_path / "kubectl-provisioner"
    script.write_text((plugin / "kubectl-provisioner").read_text("utf-8"), encoding="utf-8")  # no lib-3.x is beside it

    refused = _run_alone(Path("/usr/bin/env"), "python3", str(script))

    assert refused.returncode == 1
    assert re.fullmatch(r"kubectl provisioner runs on Python 3\S+ to 3\S+, and python3 is 3.*\n", refused.stderr)


def test_krews_manifest_names_the_archive_by_its_digest(release: Path) -> None:
    manifest = yaml.safe_load((release / "provisioner.yaml").read_text("utf-8"))

    (platform,) = manifest["spec"]["platforms"]
    assert manifest["spec"]["version"] == f"v{source_of(REPOSITORY).version}"
    assert platform["sha256"] == digest_of(release / platform["uri"].rpartition("/")[2])


def test_the_installation_has_the_image_and_the_definitions(release: Path) -> None:
    whole = list(yaml.safe_load_all((release / "install.yaml").read_text("utf-8")))
    definitions = list(yaml.safe_load_all((release / "crds.yaml").read_text("utf-8")))

    (operator,) = (each for each in whole if each["kind"] == "Deployment")
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"provisioner-operator:{source_of(REPOSITORY).version}"
    assert {each["kind"] for each in definitions} == {"CustomResourceDefinition"}
    assert _names(definitions) == {name for name in _names(whole) if name.endswith(".provisioner.dev")}


def _names(objects: list[Manifest]) -> set[str]:
    return {each["metadata"]["name"] for each in objects if each["kind"] == "CustomResourceDefinition"}


@pytest.mark.parametrize(
    ("bill", "lock"),
    [
        ("provisioner-operator", lambda: (REPOSITORY / "requirements" / "runtime.txt").read_text("utf-8")),
        ("kubectl-provisioner", lambda: locked_requirements(source_of(REPOSITORY))),
    ],
)
def test_a_bill_of_materials_is_valid_and_has_every_locked_package(
    release: Path, bill: str, lock: Callable[[], str]
) -> None:
    # Two seconds of CPU in each worker of a run if the module imported it.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    text = (release / f"{bill}.cdx.json").read_text("utf-8")

    locked = set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]+\])?==(\S+)", lock(), re.MULTILINE))
    listed = {(each["name"].lower(), each["version"]) for each in json.loads(text)["components"]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert listed == locked
    assert str(REPOSITORY) not in text


def _run_alone(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this project's environment."""
    path = f"{sys.base_prefix}/bin:/usr/bin:/bin"
    return subprocess.run(
        [str(program), *arguments],
        env={"PATH": path, "HOME": "/nonexistent"},
        check=False,
        capture_output=True,
        text=True,
        timeout=_RUN_TIMEOUT,
    )
