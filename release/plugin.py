"""Archives of `kubectl provisioner` for krew, or to unpack by hand: the command line with all that it needs but Python.

An archive has what is pure Python once, in `lib`, and compiled packages for each version of Python, in `lib-3.11` and so on.
The program is a small script that puts both on the path, so nothing is unpacked or fetched when it runs.
"""

import importlib.metadata
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.archives import Entry, packed
from release.errors import ReleaseError, run
from release.source import Source

PLATFORMS: Mapping[str, str] = {
    "linux-amd64": "x86_64-manylinux_2_28",
    "linux-arm64": "aarch64-manylinux_2_28",
    "darwin-arm64": "aarch64-apple-darwin",
}
"""Platforms by their names in krew, as uv names them."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ROOTS = (
    "click",
    "google-re2",
    "orjson",
    "pydantic",
    "pykube-ng",
    "pyyaml",
    "rich",
    "textual",
    "typing-extensions",
    "urllib3",
)
"""Packages that the command line imports. A test imports all of it from an archive."""
_PACKAGE = "provisioner_operator"
_PROGRAMS = {"kubectl-provisioner": "main", "kubectl_complete-provisioner": "complete"}
_LAUNCHER = '''#!/usr/bin/env python3
"""Run the command line from the folders beside this file."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))
python = "%d.%d" % sys.version_info[:2]
compiled = os.path.join(here, "lib-" + python)
if not os.path.isdir(compiled):
    sys.exit("kubectl provisioner runs on Python {pythons}, and python3 is " + python + ": put another python3 first on the PATH.")
sys.path[:1] = [os.path.join(here, "lib"), compiled]

from provisioner_operator.cli.__main__ import {function}

{function}()
'''
_LEFT_OUT = ("bin/", ".lock")
"""Files beside the packages: scripts that name this machine's Python."""
_LEFT_OUT_METADATA = ("RECORD", "INSTALLER", "REQUESTED", "uv_cache.json", "uv_build.json", "direct_url.json")


def locked_requirements(source: Source) -> str:
    """Return the part of the locked requirements that the command line needs, with the digests of all their files."""
    lock = (source.root / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    needed = _with_dependencies(ROOTS)
    # An entry begins in the first column, and continues in indented lines.
    entries = re.findall(r"^[a-z0-9].*\n(?:[ ]+.*\n)*", lock, re.MULTILINE)
    return "".join(each for each in entries if canonicalize_name(re.split(r"[\[=]", each)[0]) in needed)


def write_archives(
    source: Source, wheel: Path, out: Path, *, platforms: Sequence[str], pythons: Sequence[str]
) -> list[Path]:
    """Write an archive for each platform. Packages that uv has not in its cache are fetched."""
    requirements = locked_requirements(source)
    common = dict(_own_files(source, wheel, pythons))
    archives = []
    for platform in platforms:
        entries = dict(common)
        for python in pythons:
            entries |= _packages(source, requirements, platform, python)
        archives.append(out / f"kubectl-provisioner-{platform}.tar.gz")
        archives[-1].write_bytes(packed(entries, source.epoch))
    return archives


def _own_files(source: Source, wheel: Path, pythons: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    yield "LICENSE", Entry((source.root / "LICENSE").read_bytes())
    for name, function in _PROGRAMS.items():
        text = _LAUNCHER.format(function=function, pythons=f"{pythons[0]} to {pythons[-1]}")
        yield name, Entry(text.encode(), is_program=True)
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as content:
        for name in content.namelist():
            # The development cluster, which the wheel has too, is not for this. The version is read from the metadata.
            if name.startswith(f"{_PACKAGE}/") or name.endswith(".dist-info/METADATA"):
                yield f"lib/{name}", Entry(content.read(name))


def _packages(source: Source, requirements: str, platform: str, python: str) -> dict[str, Entry]:
    with tempfile.TemporaryDirectory(prefix="release-") as scratch:
        target = Path(scratch)
        _install(source, requirements, platform, python, target)
        entries: dict[str, Entry] = {}
        for metadata in sorted(target.glob("*.dist-info")):
            pure = "Root-Is-Purelib: true" in (metadata / "WHEEL").read_text(encoding="utf-8")
            folder = "lib" if pure else f"lib-{python}"
            entries |= {f"{folder}/{name}": Entry((target / name).read_bytes()) for name in _recorded(target, metadata)}
        return entries


def _recorded(target: Path, metadata: Path) -> Iterator[str]:
    """Yield the files of one package that belong into an archive."""
    for path in importlib.metadata.Distribution.at(metadata).files or ():
        name = path.as_posix()
        is_private = name.startswith(f"{metadata.name}/") and path.name in _LEFT_OUT_METADATA
        if not is_private and not name.startswith((*_LEFT_OUT, "..")) and (target / name).is_file():
            yield name


def _install(source: Source, requirements: str, platform: str, python: str, target: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(target)]
    command += ["--python-platform", PLATFORMS[platform], "--python-version", python]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--link-mode", "copy", "--requirements", "-"]
    try:
        run([*command, "--offline"], env=source.environment, given=requirements)
    except ReleaseError:
        sys.stderr.write(f"Fetching the packages of the command line for Python {python} on {platform} (once) ...\n")
        run(command, env=source.environment, given=requirements)


def _with_dependencies(roots: Sequence[str]) -> set[str]:
    """Return the names of the packages and of all that they need, whatever the version of Python."""
    found: set[str] = set()
    left = [canonicalize_name(each) for each in roots]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [canonicalize_name(each) for each in _dependencies(name)]
    return found


def _dependencies(name: str) -> Iterator[str]:
    for text in importlib.metadata.requires(name) or ():
        requirement = Requirement(text)
        # Of an extra that nobody asks for.
        if "extra" not in str(requirement.marker or ""):
            yield requirement.name
