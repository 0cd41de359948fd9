"""The image as `make image` builds it: its user, contents and metadata."""

import json
import os
import re
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_devcluster.control_plane.certificates import Authority
from support.images.buildah import Container, a_container, configuration
from support.images.container_image import image_in_store, obstacle
from support.manifests import REPOSITORY
from support.programs.git_repository import Repository
from support.programs.git_server import serving

OBSTACLE = obstacle()
pytestmark = [
    pytest.mark.skipif(OBSTACLE is not None, reason=OBSTACLE or ""),
    # The first build on a machine compiles OpenTofu.
    pytest.mark.timeout(3600),
]

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
USER = 65532

TERRAFORM = """
resource "terraform_data" "greeting" {
  input = "hello"
  provisioner "local-exec" {
    command = "id -u > ${path.root}/who"
  }
}
"""

ON_A_READ_ONLY_ROOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -o remount,bind,ro "$1"
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec=65532:65532 --groups= "$1" \\
  /usr/bin/env -i PATH="$2" HOME=/tmp sh -c "$3"
"""
"""Equivalent of `readOnlyRootFilesystem` with an emptyDir at /tmp, in a temporary mount namespace."""


@pytest.fixture(scope="module")
def image() -> str:
    """Build the image, and return its name."""
    return image_in_store()


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[Container]:
    """A container of the image, shared by tests that only read."""
    with a_container(image) as container:
        yield container


@pytest.fixture(scope="module")
def config(image: str) -> Any:
    """Return the image's configuration."""
    return configuration(image)


def files(container: Container) -> Iterator[Path]:
    """Return every file and directory by its path in the image."""
    for folder, folders, names in os.walk(container.root):
        yield from (Path("/", Path(folder, name).relative_to(container.root)) for name in folders + names)


def bill(container: Container, name: str) -> Any:
    """Return a bill of materials from the image."""
    return json.loads((container.root / "usr/share/sbom" / name).read_text(encoding="utf-8"))


def on_a_read_only_root(container: Container, config: Any, script: str) -> str:
    """Run a script as the image's user where only /tmp is writable, and return its output."""
    path = next(entry.removeprefix("PATH=") for entry in config["Env"] if entry.startswith("PATH="))
    command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", ON_A_READ_ONLY_ROOT, "sh"]
    done = subprocess.run(
        [*command, str(container.root), path, script], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_starts_the_operator_unless_told_otherwise(config: Any) -> None:
    assert not config.get("Entrypoint")
    assert config["Cmd"] == ["provisioner-operator", "run"]


def test_its_user_is_a_number_that_is_not_root(config: Any, container: Container) -> None:
    assert config["User"] == f"{USER}:{USER}"
    assert container.run("id", "-u").strip() == str(USER)
    assert container.run("id", "-G").strip() == str(USER)


@pytest.mark.parametrize("program", ["provisioner-operator", "provisioner-daemon"])
def test_both_programs_are_on_the_path_and_print_their_version(container: Container, program: str) -> None:
    assert container.run(program, "--version").strip() == f"{program}, version {PROJECT['version']}"


def test_tofu_is_the_pinned_opentofu(container: Container) -> None:
    required = re.search(r"github\.com/opentofu/opentofu (v\S+)", (OPENTOFU.directory / "go.mod").read_text("utf-8"))
    assert required is not None
    assert container.run("tofu", "version").splitlines()[0] == f"OpenTofu {required[1]}"


def test_git_can_clone_over_https(container: Container, tmp_path: Path) -> None:
    authority = Authority("git", tmp_path / "authority")
    pair = authority.issue("server", "server", addresses=["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    repository = Repository(tmp_path / "served.git")
    repository.commit({"main.tf": "# a module"})
    with serving(repository, tls=tls) as server:
        clone = f"cd /tmp && git clone --quiet {server.url} module && cat module/main.tf && rm -r module"
        # Beside the authorities that the image trusts, the test's.
        trusted = "cat /etc/ssl/certs/ca-certificates.crt - > /tmp/trusted"
        script = f"{trusted} <<'E'\n{authority.pair.certificate.read_text()}E\nGIT_SSL_CAINFO=/tmp/trusted; export GIT_SSL_CAINFO\n{clone}; rm /tmp/trusted"
        assert container.run("sh", "-c", script) == "# a module"


def test_its_user_can_write_only_to_tmp(image: str) -> None:
    # find reports directories that it may not enter, which are not writable either.
    look = "find / -xdev -writable -not -type l 2>/dev/null || true"
    with a_container(image) as own:
        assert own.run("sh", "-c", look).split() == ["/tmp"]


def test_it_works_on_a_read_only_root(image: str, config: Any) -> None:
    with a_container(image) as own:
        written = on_a_read_only_root(
            own,
            config,
            "provisioner-operator --version >&2 && provisioner-daemon --version >&2 && mkdir /tmp/run && cd /tmp/run"
            f" && printf '%s' '{TERRAFORM}' > main.tf && tofu init >&2 && tofu apply -auto-approve >&2 && cat who",
        )
    assert written.strip() == str(USER)


def test_a_read_only_root_is_read_only_here(image: str, config: Any) -> None:
    """Otherwise the previous test would prove nothing."""
    with a_container(image) as own:
        (own.root / "opt/open").mkdir(mode=0o777)
        (own.root / "opt/open").chmod(0o777)
        script = "touch /opt/open/file 2>/dev/null && echo written || echo refused"
        assert on_a_read_only_root(own, config, script).strip() == "refused"


def test_its_python_code_is_compiled(container: Container) -> None:
    """Bytecode cannot be written later, so every start would compile everything again."""
    library = container.root / "opt/provisioner/lib"
    sources = [path for path in library.rglob("*.py") if "site-packages" in path.parts]
    assert sources
    compiled = {path.name.split(".")[0] for path in library.rglob("*.pyc")}
    assert {path.stem for path in sources} <= compiled


def test_it_contains_no_build_or_installation_tools(container: Container) -> None:
    programs = re.compile(
        r"(cc|gcc|g\+\+|c\+\+|clang|ld|as|make|go|gofmt|pip[\d.]*|uv|hatchling|blint|cyclonedx-py)(-[\d.]+)?"
    )
    packages = re.compile(r"(pip|setuptools|wheel|ensurepip|hatchling|blint|cyclonedx)([-_].*)?")
    found = [
        path
        for path in files(container)
        if (path.parent.name in {"bin", "sbin"} and programs.fullmatch(path.name))
        or (path.parent.name in {"site-packages", "dist-packages"} and packages.fullmatch(path.name))
        or path.name == "ensurepip"
        or path.suffix == ".whl"
    ]
    assert found == []


def test_it_contains_no_cache_and_no_source_of_the_build(image: str) -> None:
    with a_container(image) as own:
        folders = ("src", "build", "dist", "root/.cache", "root/go", "opentofu")
        assert not [folder for folder in folders if (own.root / folder).exists()]
        assert list((own.root / "tmp").iterdir()) == []


def test_it_does_not_contain_the_embedded_control_plane(container: Container) -> None:
    assert [path for path in files(container) if "devcluster" in path.name] == []


def test_it_trusts_the_usual_certificate_authorities(container: Container) -> None:
    """OpenTofu verifies registries and clouds with them."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    script = f"import ssl; print(ssl.create_default_context(cafile={bundle!r}).cert_store_stats()['x509_ca'])"
    assert int(container.run("python", "-c", script)) > 0


@pytest.mark.parametrize("name", ["python.cdx.json", "tofu.cdx.json"])
def test_its_bills_of_materials_are_valid(container: Container, name: str) -> None:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill(container, name)))
    assert error is None, str(error)[:2000]


def test_the_bill_of_materials_lists_every_python_package_that_is_in_it(container: Container) -> None:
    listed = {
        (re.sub(r"[-_.]+", "-", component["name"]).lower(), component["version"])
        for component in bill(container, "python.cdx.json")["components"]
    }
    installed = {
        (re.sub(r"[-_.]+", "-", name).lower(), version)
        for name, version in (
            path.name.removesuffix(".dist-info").rsplit("-", 1)
            for path in (container.root / "opt/provisioner/lib").glob("python3*/site-packages/*.dist-info")
        )
    }
    own = {(PROJECT["name"], PROJECT["version"])}
    assert own < installed
    assert {name for name, _ in installed} >= {"kopf", "pydantic", "aiohttp"}
    assert listed == installed - own


def test_the_bill_of_materials_describes_this_project(container: Container) -> None:
    described = bill(container, "python.cdx.json")["metadata"]["component"]
    assert (described["name"], described["version"]) == (PROJECT["name"], PROJECT["version"])


def test_the_bill_of_materials_lists_opentofu_and_its_modules(container: Container) -> None:
    required = dict(re.findall(r"^\t(\S+) (v\S+)", (OPENTOFU.directory / "go.mod").read_text("utf-8"), re.MULTILINE))
    written = bill(container, "tofu.cdx.json")
    version = required.pop("github.com/opentofu/opentofu")
    assert written["metadata"]["component"]["version"] == version
    assert written["metadata"]["component"]["purl"] == f"pkg:golang/github.com/opentofu/opentofu@{version}"
    listed = {component["name"]: component["version"] for component in written["components"]}
    assert len(listed) > 100
    assert {name: required[name] for name in listed} == listed


def test_its_labels_describe_it(config: Any) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["title"] == "Provisioner Operator"
    assert labels["version"] == PROJECT["version"]
    assert labels["licenses"] == PROJECT["license"]
    assert labels["description"]
    assert labels["base.name"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert labels["revision"].removesuffix("-dirty") == (head.stdout.strip() or "unknown")
