"""Command line: `python -m release build`, and `python -m release sign KEY`."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from provisioner_devcluster.errors import DevClusterError
from release import plugin
from release.bills import write_bill
from release.charts import write_charts
from release.checksums import SUMS, sign, write_sums
from release.distributions import build_distributions
from release.errors import ReleaseError
from release.installation import write_installation
from release.krew import write_manifest
from release.source import Source, source_of

_SITE = "https://example.com/provisioner-operator"
"""Homepage in krew's manifest, unless one is given."""
folder_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The folder.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Build and sign what a release publishes."""


@cli.command()
@folder_option
@click.option("--image", help="Image in install.yaml; the manifests' own with the version as its tag by default.")
@click.option("--homepage", default=_SITE, show_default=True, help="The project's address, for krew's manifest.")
@click.option("--downloads", default=f"{_SITE}/releases", show_default=True, help="Address of the releases' folders.")
@click.option(
    "--platform", "platforms", multiple=True, type=click.Choice(list(plugin.PLATFORMS)), help="Only these archives."
)
@click.option(
    "--python", "pythons", multiple=True, type=click.Choice(plugin.PYTHONS), help="Only for these versions of Python."
)
def build(
    *, out: Path, image: str | None, homepage: str, downloads: str, platforms: Sequence[str], pythons: Sequence[str]
) -> None:
    """Build all parts from this checkout into a folder, with their digests; an earlier release there is replaced."""
    source = source_of(Path.cwd())
    if out.exists() and any(out.iterdir()) and not (out / SUMS).exists():
        raise ReleaseError(f"{out} has files that are no release: empty it, or choose another folder with --out.")
    with tempfile.TemporaryDirectory(prefix="release-") as scratch:
        fresh = Path(scratch) / "release"
        fresh.mkdir()
        wheel = build_distributions(source, fresh)
        write_installation(source, image or f"provisioner-operator:{source.version}", fresh)
        write_charts(source, fresh)
        names = tuple(platforms) or tuple(plugin.PLATFORMS)
        archives = plugin.write_archives(
            source, wheel, fresh, platforms=names, pythons=tuple(pythons) or plugin.PYTHONS
        )
        by_platform = dict(zip(names, archives, strict=True))
        write_manifest(source, by_platform, homepage=homepage, downloads=downloads, out=fresh)
        _write_bills(source, fresh)
        write_sums(fresh)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(fresh, out)
    click.echo((out / SUMS).read_text(encoding="utf-8"), nl=False)


def _write_bills(source: Source, out: Path) -> None:
    runtime = (source.root / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    write_bill(source, runtime, out / "provisioner-operator.cdx.json")
    write_bill(source, plugin.locked_requirements(source), out / "kubectl-provisioner.cdx.json")


@cli.command("sign")
@folder_option
@click.argument("key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def sign_release(*, out: Path, key: Path) -> None:
    """Sign the digests of a release with an SSH key: a private one, or the public one of a key in the agent."""
    click.echo(sign(out, key))


def main() -> None:
    """Run one command; an error that a maintainer can act on is one message."""
    try:
        cli()
    except (ReleaseError, DevClusterError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
