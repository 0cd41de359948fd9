"""Command `python -m provisioner_devcluster.monitoring`: serve a page of Grafana's dashboards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from provisioner_devcluster.monitoring.prometheus import SCRAPE_SECONDS
from provisioner_devcluster.monitoring.server import serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--dashboards",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder of dashboards, as Grafana imports them.",
)
@click.option("--prometheus", required=True, help="URL of the Prometheus that answers their queries.")
@click.option("--port", type=int, default=0, show_default=True, help="Port; 0 takes a free one.")
def main(*, dashboards: Path, prometheus: str, port: int) -> None:
    """Serve a page for each dashboard on the loopback interface."""
    asyncio.run(serve(dashboards, prometheus, port=port, scrape=SCRAPE_SECONDS))


if __name__ == "__main__":
    main()
