"""Comparison of what the fast tests cover with the floors of the packages: `make coverage` calls it with SlipCover's report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

PACKAGES = "operator/provisioner_operator/"
MISSED = 2
"""Exit code if a floor is missed."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Lines and branches of a package."""

    reached: int
    missed: int
    gaps: tuple[str, ...]
    """Files that are not wholly covered, each with its lines and branches that no test reached."""

    @property
    def percent(self) -> float:
        """Share of the lines and branches that tests reached."""
        return 100 * self.reached / max(1, self.reached + self.missed)


def covered(files: Mapping[str, Mapping[str, Any]], package: str) -> Covered:
    """Sum up the files of a package."""
    reached = missed = 0
    gaps = []
    for name, file in sorted(files.items()):
        if name.startswith(f"{PACKAGES}{package}/"):
            lines, branches = file["missing_lines"], file["missing_branches"]
            reached += len(file["executed_lines"]) + len(file["executed_branches"])
            missed += len(lines) + len(branches)
            if lines or branches:
                gaps.append(f"{name}: lines {lines}, branches {branches}")
    return Covered(reached, missed, tuple(gaps))


@click.command()
@click.argument("report", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("floors", nargs=-1, required=True, metavar="PACKAGE=PERCENT...")
def main(report: Path, floors: Sequence[str]) -> None:
    """Fail if a package is covered by less than its floor."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    too_little = []
    for package, _, least in (floor.partition("=") for floor in floors):
        found = covered(files, package)
        click.echo(f"Coverage of {package}: {found.percent:.2f} % (at least {least} %)")
        if found.percent < float(least):
            too_little.append(package)
            click.echo("\n".join(found.gaps))
    if too_little:
        click.echo(f"Tests cover too little of {' and '.join(too_little)}: see the lines and branches above.", err=True)
        raise SystemExit(MISSED)


if __name__ == "__main__":
    main()
