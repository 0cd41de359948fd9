"""A Prometheus as its users run it: it scrapes a target each second, evaluates rules, and answers queries."""

import json
import socket
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

import yaml

_READY_WITHIN = 120.0
"""Seconds: a start takes one on a quiet machine."""
_ANSWERS_WITHIN = 30.0
_POLL = 0.2
_ATTEMPTS = 3
"""Starts, each on another port: a free one may be taken a moment later."""


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
def a_prometheus(
    program: Path, folder: Path, target: str, rules: str, **scraping: object
) -> Iterator[PrometheusServer]:
    """Run Prometheus for a target with these rules; `scraping` are further settings of its scrape job."""
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    job = {"job_name": "provisioner-operator", "static_configs": [_static(target)], **scraping}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    process, server = _start(program, folder)
    try:
        yield server
    finally:
        process.kill()
        process.wait()


def _static(target: str) -> dict[str, object]:
    # What the Prometheus Operator adds for a ServiceMonitor.
    return {"targets": [target.removeprefix("http://")], "labels": {"namespace": "provisioner-system"}}


def _start(program: Path, folder: Path) -> "tuple[subprocess.Popen[bytes], PrometheusServer]":
    log = folder / "prometheus.log"
    for _ in range(_ATTEMPTS):
        server = PrometheusServer(f"http://127.0.0.1:{_free_port()}")
        command = [
            str(program),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={server.address.removeprefix('http://')}",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        if _becomes_ready(process, server):
            return process, server
        process.kill()
        process.wait()
    raise AssertionError(f"Prometheus does not start:\n{log.read_text(encoding='utf-8')}")


def _becomes_ready(process: "subprocess.Popen[bytes]", server: PrometheusServer) -> bool:
    deadline = time.monotonic() + _READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        if _is_ready(server):
            return True
        time.sleep(_POLL)
    return False


def _is_ready(server: PrometheusServer) -> bool:
    try:
        with urllib.request.urlopen(f"{server.address}/-/ready", timeout=_ANSWERS_WITHIN):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
