"""Another version of the product runs its own code, although this one is imported and installed."""

from pathlib import Path

import pytest

from bench.client import BenchError
from bench.peers.checkout import Checkout


def write(folder: Path, module: str, text: str) -> None:
    """Write a module, and the packages that it is in."""
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    for package in file.relative_to(folder).parents[:-1]:
        (folder / package / "__init__.py").touch()
    file.write_text(text, encoding="utf-8")


def test_the_controller_is_that_of_the_checkout(tmp_path: Path) -> None:
    write(tmp_path / "operator", "provisioner_operator.controller.__main__", "print('an older version')")
    program = Checkout(tmp_path).controller(["run"])
    assert program.exit_code() == 0
    assert program.lines == ["an older version"]
    program.remove_log()


def test_the_checkout_installs_itself(tmp_path: Path) -> None:
    write(tmp_path / "tests", "support.cluster.kubectl", "Kubectl = str")
    installation = "def install(admin, prober): raise SystemExit(f'{admin} and {prober} install an older version')"
    write(tmp_path / "tests", "support.cluster.installation", installation)
    with pytest.raises(BenchError, match=r"admin\.yaml and prober\.yaml install an older version"):
        Checkout(tmp_path).install(Path("admin.yaml"), Path("prober.yaml"))
