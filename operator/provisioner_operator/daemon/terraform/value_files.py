"""Keep the job's values of variables above those that files of its source set.

Terraform prefers `terraform.tfvars` and `*.auto.tfvars` to the environment, in which a job's values reach it, and a file
that is named on the command line to both. So where such a file of the source may set a variable of the job, the job's
value is also written into a file of the run's directory. What only the source sets stays. Used by `provisioner`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provisioner_operator.daemon.terraform.syntax.literals import NoLiteralError, literal_as_json

FILE, EPHEMERAL_FILE = "provisioner_values.tfvars.json", "provisioner_ephemeral.tfvars.json"
"""Files of the run's directory. Not named `*.auto.tfvars.json`: where Terraform runs there, it would read them unasked."""
STANDARD = ("terraform.tfvars", "terraform.tfvars.json")
AUTOMATIC = (".auto.tfvars", ".auto.tfvars.json")
"""Files from which Terraform takes values of variables by itself."""
MOST_BYTES = 4_000_000
"""Bytes of such files that are searched; beyond, any variable counts as set."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(slots=True)
class Syntax:
    """The reading of values in a module: which variables it declares, and how Terraform reads text for them."""

    declared: set[str] = field(default_factory=set)
    expressions: set[str] = field(default_factory=set)
    """Variables whose type is not string, number or bool: Terraform evaluates text for them."""
    ephemeral: set[str] = field(default_factory=set)
    """Variables that no plan keeps: `apply` needs their values again."""
    unread: list[str] = field(default_factory=list)
    """Files that could not be read: they may declare more."""


class UnreadableValueError(Exception):
    """A value cannot be written into a file; the message names the variable, and what to do."""


@dataclass(slots=True)
class ValueFiles:
    """The files of values of one run."""

    module: Path
    """The folder in which Terraform runs."""
    directory: Path
    """The run's own directory."""
    values: Mapping[str, str] = field(repr=False)
    """The job's values by name."""
    contested: frozenset[str] = frozenset()
    """The variables of the job that a file of the source may set too."""
    _written: list[str] = field(default_factory=list)

    def search(self) -> bool:
        """Look for variables of the job in the source's files of values, and return whether there are any.

        Looks for their names anywhere in these files: one too many does no harm.
        """
        left = MOST_BYTES
        found: set[str] = set()
        for path in _automatic(self.module):
            left -= path.stat().st_size
            text = path.read_text(encoding="utf-8", errors="replace") if left >= 0 else ""
            # JSON can write any character of a name as an escape.
            if left < 0 or (path.suffix == ".json" and "\\" in text):
                found |= set(self.values)
            found |= set(_WORD.findall(text))
        self.contested = frozenset(found & set(self.values))
        return bool(self.contested)

    def write(self, syntax: Syntax) -> tuple[str, ...]:
        """Write the job's values of the contested variables and return lines for the log. Raises UnreadableValueError.

        An undeclared one is left out, since Terraform would warn about it, unless an unread file may declare it.
        """
        names = sorted(self.contested if syntax.unread else self.contested & syntax.declared)
        if not names:
            return ()
        ephemeral = [name for name in names if name in syntax.ephemeral]
        for file, chosen in ((FILE, names), (EPHEMERAL_FILE, ephemeral)):
            if chosen:
                self._write(file, chosen, syntax)
        lines = [f"The source's files of values may set {', '.join(names)}; the job's values count."]
        if unknown := [name for name in names if name not in syntax.declared]:
            lines.append(
                f"The values of {', '.join(unknown)} are passed as text: {syntax.unread[0]} could not be read."
            )
        return tuple(lines)

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments of `init` and `plan`."""
        return self._argument(FILE)

    def apply_arguments(self, *, is_tofu: bool) -> tuple[str, ...]:
        """Return the arguments of `apply`, whose plan has all values but the ephemeral ones.

        OpenTofu compares what it is given with the plan, files of the source included. Terraform before 1.10 refuses a file, but
        has no ephemeral variables.
        """
        return self._argument(FILE if is_tofu else EPHEMERAL_FILE)

    def _argument(self, file: str) -> tuple[str, ...]:
        return (f"-var-file={self.directory / file}",) if file in self._written else ()

    def _write(self, file: str, names: list[str], syntax: Syntax) -> None:
        items = (f"{json.dumps(name)}: {self._as_json(name, syntax)}" for name in names)
        path = self.directory / file
        # Unlinked first: the source may have a file or a link of that name.
        path.unlink(missing_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(f"{{{', '.join(items)}}}", encoding="utf-8")
        self._written.append(file)

    def _as_json(self, name: str, syntax: Syntax) -> str:
        if name not in syntax.expressions:
            return json.dumps(self.values[name])
        try:
            return literal_as_json(self.values[name])
        except NoLiteralError as error:
            raise UnreadableValueError(
                f"A file of values of the source (terraform.tfvars or *.auto.tfvars) may set variable {name}, above which the "
                f"job's value cannot be put: {error}. Write the value as JSON, or remove the variable from that file."
            ) from None


def _automatic(module: Path) -> Iterator[Path]:
    for path in sorted(module.iterdir()):
        if (path.name in STANDARD or path.name.endswith(AUTOMATIC)) and path.is_file():
            yield path
