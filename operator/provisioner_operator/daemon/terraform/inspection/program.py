"""Report the declarations of the module in the current folder: the program of the stage `inspect`.

Started under a guard like any other command, in the folder where Terraform ran. It is a process of its own because it
parses untrusted input, which may take long or need much memory: it is interrupted, killed and limited like Terraform.
Writes a line for each declaration, and lines for the log. A file that it cannot read is no failure.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from provisioner_operator.api.v1alpha1.limits import LONGEST_VARIABLE_NAME, MOST_VARIABLES
from provisioner_operator.daemon.execution.guard import SIGNALED
from provisioner_operator.daemon.execution.memory_limit import limit_address_space
from provisioner_operator.daemon.terraform.declarations import TOFU_ONLY, Declarations, in_order
from provisioner_operator.daemon.terraform.inspection.output import RESOURCE_PREFIX, SYNTAX_PREFIX, VARIABLE_PREFIX

LARGEST_FILE = 1_000_000
"""Bytes: files written by hand are far smaller, and the parser needs seconds for this many."""
LONGEST_SECONDS = 60.0
"""The time after which no further file is read."""
MEMORY_BYTES = 1_000_000_000
NAMES_ALLOWED = (
    f"the names of variables have at most {LONGEST_VARIABLE_NAME} characters: A to Z, a to z, digits, '-' and '_'"
)


def main() -> int:
    """Report the declarations and return the exit code."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(SIGNALED + signal.SIGINT))
    limit_address_space(MEMORY_BYTES)
    names = [path.name for path in Path().iterdir() if path.is_file()]
    found = Declarations()
    tofu_only = [name for name in names if name.endswith(TOFU_ONLY)]
    for name in tofu_only:
        _say(f"File {name} was not read, so its declarations are left out: OpenTofu alone takes such files")
    unread = _read(found, in_order(iter(names))) + tofu_only
    syntax = {"expressions": sorted(found.expressions), "ephemeral": sorted(found.ephemeral), "unread": unread}
    _say(SYNTAX_PREFIX + json.dumps(syntax))
    for name in found.left_out:
        _say(f"Variable {name} is left out: {NAMES_ALLOWED}")
    if len(found.variables) > MOST_VARIABLES:
        _say(f"The template declares {len(found.variables)} variables; the job's status has room for {MOST_VARIABLES}")
    for variable in found.variables.values():
        _say(VARIABLE_PREFIX + json.dumps(asdict(variable)))
    for resource in found.resources.values():
        _say(RESOURCE_PREFIX + json.dumps(asdict(resource)))
    return 0


def _read(found: Declarations, names: list[str]) -> list[str]:
    """Read the files and return the names of those that could not be read."""
    end = time.monotonic() + LONGEST_SECONDS
    unread: list[str] = []
    for number, name in enumerate(names):
        if time.monotonic() > end:
            _say(f"File {name} and those after it were not read: the limit of {LONGEST_SECONDS:g} s is reached")
            return [*unread, *names[number:]]
        try:
            found.read(name, _content(Path(name)))
        except MemoryError:
            _say(f"File {name} was not read: it needs more than {MEMORY_BYTES:,} bytes of memory")
            unread.append(name)
        except (OSError, ValueError) as error:
            _say(f"File {name} could not be parsed, so its declarations are left out: {error}")
            unread.append(name)
    return unread


def _content(path: Path) -> str:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"it has {size:,} bytes, and at most {LARGEST_FILE:,} are read")
    return path.read_text(encoding="utf-8-sig")


def _say(line: str) -> None:
    print(" ".join(line.splitlines()), flush=True)  # noqa: T201 - its output is its purpose


if __name__ == "__main__":
    sys.exit(main())
