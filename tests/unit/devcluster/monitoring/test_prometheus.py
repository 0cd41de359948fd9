"""Prometheus scrapes a program of this machine as the ServiceMonitor says, or refuses to."""

from pathlib import Path

import pytest
import yaml

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.monitoring.prometheus import address, prepare, scrape_job
from support.manifests import MANIFESTS

MONITOR = MANIFESTS / "components" / "monitoring" / "service_monitor.yaml"


def test_a_job_has_the_settings_of_the_service_monitor() -> None:
    assert scrape_job(MONITOR, "http://127.0.0.1:8080") == {
        "job_name": "provisioner-operator",
        "metrics_path": "/metrics",
        "honor_labels": True,
        "static_configs": [{"targets": ["127.0.0.1:8080"], "labels": {"namespace": "provisioner-system"}}],
    }


def test_a_setting_that_would_be_left_out_is_refused(tmp_path: Path) -> None:
    document = yaml.safe_load(MONITOR.read_text(encoding="utf-8"))
    document["spec"]["endpoints"][0]["bearerTokenSecret"] = {"name": "token"}
    path = tmp_path / "monitor.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(DevClusterError, match="bearerTokenSecret"):
        scrape_job(path, "http://127.0.0.1:8080")


def test_the_configuration_is_where_the_command_looks(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    command = prepare(Path("/bin/prometheus"), tmp_path, rules=rules, jobs=[{"job_name": "x"}], every=7)
    config = yaml.safe_load((tmp_path / "prometheus.yaml").read_text(encoding="utf-8"))
    assert f"--config.file={tmp_path / 'prometheus.yaml'}" in command
    assert config["rule_files"] == [str(rules)]
    assert config["global"] == {"scrape_interval": "7s", "evaluation_interval": "7s"}


@pytest.mark.parametrize(
    "line",
    [
        'ts=2026-11-30T22:29:08.394Z caller=tls_config.go:232 level=info component=web msg="Listening on" address=127.0.0.1:3722',
        'time=2026-11-30T22:29:08.394Z level=INFO source=tls_config.go:347 msg="Listening on" component=web address=127.0.0.1:3722',
    ],
)
def test_the_address_is_that_of_the_log(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log"
    log.write_text('msg="Start listening for connections" address=127.0.0.1:0\n', encoding="utf-8")
    assert not address(log)
    log.write_text(f"{log.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    assert address(log) == "http://127.0.0.1:3722"
