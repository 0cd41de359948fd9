"""A Prometheus as its users run it: it scrapes a target each second, evaluates rules, and answers queries."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner_devcluster.monitoring.prometheus import READY_PATH, address, prepare, scrape_job
from support.manifests import MANIFESTS, REPOSITORY

RULES = REPOSITORY / "monitoring" / "rules.yaml"
MONITOR = MANIFESTS / "components" / "monitoring" / "service_monitor.yaml"
_READY_WITHIN = 120.0
"""Seconds: a start takes one on a quiet machine."""
_ANSWERS_WITHIN = 30.0
_POLL = 0.2


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A Prometheus that is ready."""

    address: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; one that is wrong fails the test."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an endpoint of its API."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWERS_WITHIN) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from error


@contextmanager
def a_prometheus(program: Path, folder: Path, target: str) -> Iterator[PrometheusServer]:
    """Run Prometheus with the product's rules; it scrapes the target at this URL as the operator's ServiceMonitor says."""
    command = prepare(program, folder, rules=RULES, jobs=[scrape_job(MONITOR, target)], every=1)
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield PrometheusServer(_await_ready(process, log))
    finally:
        process.kill()
        process.wait()


def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if (url := address(log)) and _is_ready(url):
            return url
        time.sleep(_POLL)
    raise AssertionError(f"Prometheus does not start:\n{log.read_text(encoding='utf-8')}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + READY_PATH, timeout=_ANSWERS_WITHIN):
            return True
    except OSError:
        return False
