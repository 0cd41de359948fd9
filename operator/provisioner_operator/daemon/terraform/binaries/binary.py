"""Find the program that carries out a job: the daemon's default one, or the newest that the job's constraint admits."""

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioner_operator.daemon.terraform.binaries.version import OPENTOFU, Binary, UnsupportedProgramError, identify
from provisioner_operator.daemon.terraform.binaries.version_constraint import satisfies

NAMES = ("tofu", "terraform")
"""The programs searched in this order when none is given."""
_VERSIONED = re.compile(rf"({'|'.join(NAMES)})([-_]?v?\d.*)?")
"""File names of programs in a directory that is searched: `terraform`, `tofu_1.11.0`, but no `terraform-provider-...`."""


class MissingProgramError(Exception):
    """There is no terraform and no tofu that could be used; the message says where it was searched, and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs among which those of jobs are chosen."""

    given: Path | None = None
    """The daemon's default, instead of the programs on the PATH."""
    directories: tuple[Path, ...] = ()
    """Searched for further versions."""

    def find(self, constraint: str | None) -> str:
        """Return the path of a job's program: the default one if the job has no constraint. Raises MissingProgramError.

        It may run programs to learn their versions.
        """
        default = self.default()
        if constraint is None:
            return default
        usable, faults = self.search()
        admitted = [each for each in usable if satisfies(each.version, constraint)]
        if not admitted:
            raise MissingProgramError(self._explain(constraint, usable, faults))
        # A state that OpenTofu has written is not for Terraform, so the default's product comes first.
        preferred = next((each.product for each in usable if each.path == default), None)
        return max(admitted, key=lambda each: (each.product == preferred, each.version)).path

    def default(self) -> str:
        """Return the path of the given program, or of the first of NAMES on the PATH, or of the newest in the directories.

        Raises MissingProgramError.
        """
        if (path := next(self._by_name(), None)) is not None:
            return path
        usable, _ = self.search()
        if self.given is None and usable:
            return max(usable, key=lambda each: (each.product == OPENTOFU, each.version)).path
        wanted = (str(self.given),) if self.given else NAMES
        raise MissingProgramError(
            f"The daemon has no executable {' or '.join(wanted)}. Install it in its image, or start the daemon with "
            "--terraform PATH."
        )

    def search(self) -> tuple[Sequence[Binary], Sequence[str]]:
        """Return all programs that can be used, and the faults of those that cannot."""
        usable: list[Binary] = []
        faults: list[str] = []
        for path in dict.fromkeys((*self._by_name(), *self._in_directories())):
            try:
                usable.append(identify(path))
            except UnsupportedProgramError as error:
                faults.append(error.fault)
        return usable, faults

    def _by_name(self) -> Iterator[str]:
        for name in (str(self.given),) if self.given else NAMES:
            if found := shutil.which(name):
                yield str(Path(found).absolute())

    def _in_directories(self) -> Iterator[str]:
        for directory in self.directories:
            files = (*directory.glob("*"), *(path for name in NAMES for path in directory.glob(f"*/{name}")))
            for path in sorted(files):
                if _VERSIONED.fullmatch(path.name) and path.is_file() and shutil.which(path):
                    yield str(path.absolute())

    def _explain(self, constraint: str, usable: Sequence[Binary], faults: Sequence[str]) -> str:
        places = [str(self.given) if self.given else "the PATH", *map(str, self.directories)]
        unusable = f" Not usable: {'; '.join(faults)}." if faults else ""
        return (
            f"The job asks for terraformVersion `{constraint}`, and its daemon has only {', '.join(map(str, usable))}.{unusable} "
            f"Change terraformVersion, give the job tags of daemons that have such a version, or install one where this daemon "
            f"looks ({', '.join(places)}; --terraform-directory adds further directories)."
        )
