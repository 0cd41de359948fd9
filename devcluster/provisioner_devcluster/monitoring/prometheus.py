"""Configuration of a Prometheus that scrapes programs of this machine as ServiceMonitors say.

The caller runs the command, and finds the address in the log: Prometheus chooses a free port of the loopback interface itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

READY_PATH = "/-/ready"
SCRAPE_SECONDS = 5
"""Far more often than in a cluster: somebody watches what happens now."""

_LISTENING = re.compile(r'msg="Listening on".*?\baddress=(\S+)')
_KNOWN = frozenset({"port", "path", "honorLabels", "interval"})
"""Settings of a ServiceMonitor's endpoint that `scrape_job` takes over, or that a port of this machine replaces."""


def scrape_job(monitor: Path, url: str) -> dict[str, Any]:
    """Return the job by which Prometheus scrapes the program at this URL as a ServiceMonitor's only endpoint says.

    Raises:
        DevClusterError: The endpoint has a setting, such as a login, that would be left out.
    """
    document = yaml.safe_load(monitor.read_text(encoding="utf-8"))
    (endpoint,) = document["spec"]["endpoints"]
    if unknown := endpoint.keys() - _KNOWN:
        raise DevClusterError(f"Prometheus would not scrape as {monitor} says: {', '.join(sorted(unknown))}.")
    # The Prometheus Operator gives each target its namespace, with which a metric's own label may collide.
    labels = {"namespace": document["metadata"]["namespace"]}
    return {
        "job_name": document["metadata"]["name"],
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint.get("honorLabels", False),
        "static_configs": [{"targets": [urlsplit(url).netloc], "labels": labels}],
    }


def prepare(
    program: Path, folder: Path, *, rules: Path, jobs: Sequence[dict[str, Any]], every: int = SCRAPE_SECONDS
) -> list[str]:
    """Write the configuration into an empty folder, and return the command that runs Prometheus with it.

    Args:
        program: Prometheus.
        folder: Place of the configuration and of the data.
        rules: File of rules.
        jobs: Scrape jobs.
        every: Seconds between two scrapes, and between two evaluations of the rules.
    """
    config = {
        "global": {"scrape_interval": f"{every}s", "evaluation_interval": f"{every}s"},
        "rule_files": [str(rules.absolute())],
        "scrape_configs": list(jobs),
    }
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return [
        str(program),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]


def address(log: Path) -> str:
    """Return the URL at which Prometheus listens, as its log says; empty before it does."""
    found = _LISTENING.search(log.read_text(encoding="utf-8", errors="replace"))
    return f"http://{found[1]}" if found else ""
