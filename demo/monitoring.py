"""Prometheus with the product's rules, and a page of the product's dashboards, for `make up ARGS=--monitoring`.

Called by the environment. Prometheus scrapes the operator as the ServiceMonitor says; daemons and their jobs are in the operator's
metrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.endpoints import await_ready
from demo.people import REPOSITORY
from provisioner_devcluster.monitoring.prometheus import READY_PATH, address, prepare, scrape_job

if TYPE_CHECKING:
    from pathlib import Path

    from demo.programs import Programs

PROMETHEUS, DASHBOARDS = "prometheus", "dashboards"
MONITOR = REPOSITORY / "manifests" / "components" / "monitoring" / "service_monitor.yaml"
SOURCES = REPOSITORY / "monitoring"


def start_monitoring(programs: Programs, directory: Path, prometheus: Path, operator: str) -> tuple[str, str]:
    """Start both, and return the URLs of Prometheus and of the page.

    Args:
        programs: The demo's programs, with which both end.
        directory: Place for the folder of Prometheus.
        prometheus: The program.
        operator: URL of the operator.
    """
    folder = directory / "monitoring"
    folder.mkdir()
    jobs = [scrape_job(MONITOR, operator)]
    programs.run(PROMETHEUS, *prepare(prometheus, folder, rules=SOURCES / "rules.yaml", jobs=jobs))
    found = await_ready(programs, PROMETHEUS, READY_PATH, find_url=address)
    boards = ("--dashboards", str(SOURCES / "dashboards"), "--prometheus", found)
    programs.start(DASHBOARDS, "provisioner_devcluster.monitoring", *boards)
    return found, await_ready(programs, DASHBOARDS)
