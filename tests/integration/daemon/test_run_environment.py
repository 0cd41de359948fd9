"""Variables of a pool and of `--pass-env` in real runs: they arrive, secrets are masked, and the daemon's own stay away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.conftest import Office
from provisioner_operator.core.pools.pod_builder import pod
from provisioner_operator.core.pools.records import PodTemplate
from support.builders.pools import a_pool

SECRET = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalr/XUtnFEMI+K7MDENG",
    "AWS_REGION": "eu-west-1",
}
SETTINGS = {"size": "large", "KUBERNETES_SERVICE_HOST": "192.0.2.1"}
PASSWORD = "correct-horse"
"""Of the Secret `database`."""
OWN = {
    "POD_NAME": "pool-x7k2p",
    "KUBECONFIG": "/nonexistent/of-the-daemon",
    "PROVISIONER_OTHER": "x",
    "AWS_STRAY": "unnamed",
}
TARGET = {"KUBE_CONFIG_PATH": "/nonexistent/of-the-target", "KUBE_CONFIG_PATHS": "/nonexistent/of-the-target"}
"""For Terraform's provider `kubernetes`. The backend of that name reads it too, and must keep the state in this cluster."""
ELSEWHERE = {
    "KUBE_HOST": "https://127.0.0.1:9",
    "KUBE_TOKEN": "of-another-cluster",
    "KUBE_CTX": "other",
    "TF_WORKSPACE": "b",
}
"""Would move the state, so runs do not get it."""
INJECTED = {"AZURE_CLIENT_ID": "8d3c1f0e-client"}
"""Set in the Pod by a webhook."""
TEMPLATE = """
variable "size" {}
resource "terraform_data" "seen" {
  provisioner "local-exec" {
    command = "env > '%s'; echo key $AWS_SECRET_ACCESS_KEY of $AWS_REGION, url $DATABASE_URL"
  }
}
output "size" { value = var.size }
"""


def as_kubelet_sets_it(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of a pool's container, with the Secrets and ConfigMaps of this module."""
    objects = {"aws": SECRET, "settings": SETTINGS, "database": {"password": PASSWORD}}
    environment = {
        source["prefix"] + key: value
        for source in container["envFrom"]
        for key, value in objects[(source.get("secretRef") or source["configMapRef"])["name"]].items()
    }
    for each in container["env"]:
        if "secretKeyRef" in each.get("valueFrom", {}):
            reference = each["valueFrom"]["secretKeyRef"]
            environment[each["name"]] = objects[reference["name"]][reference["key"]]
        elif "value" in each:
            environment[each["name"]] = each["value"].replace("$(DATABASE_PASSWORD)", PASSWORD)
    return environment


def a_container() -> Mapping[str, Any]:
    template = PodTemplate(
        env=(
            {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}},
            {"name": "DATABASE_URL", "value": "postgres://me:$(DATABASE_PASSWORD)@db"},
            *({"name": name, "value": value} for name, value in (TARGET | ELSEWHERE).items()),
        ),
        pass_env=tuple(f"{name[:6]}*" for name in INJECTED),
        env_from=({"secretRef": {"name": "aws"}}, {"prefix": "TF_VAR_", "configMapRef": {"name": "settings"}}),
    )
    made: Any = pod(a_pool(template=template), "pool-x7k2p", "image")
    container: Mapping[str, Any] = made["spec"]["containers"][0]
    return container


def run(office: Office, seen: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Run the template to its end and return the environment that it saw, and the job's status."""
    spec = {
        "transition": "Start",
        "workspaceRef": {"name": "dev"},
        "source": {"inline": {"files": {"main.tf": TEMPLATE % seen}}},
    }
    office.submit_spec("one", spec)
    status = office.await_phase("one", "Completed")
    pairs = [line.partition("=") for line in seen.read_text().splitlines()]
    return {name: value for name, _, value in pairs}, status


def assert_identity_is_absent(environment: Mapping[str, str]) -> None:
    assert not (OWN.keys() - {"AWS_STRAY"}) & environment.keys()
    assert not [name for name in environment if name.startswith(("PROVISIONER_", "KUBERNETES_"))]


def test_what_a_pool_names_reaches_its_runs(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (OWN | INJECTED | as_kubelet_sets_it(a_container())).items():
        monkeypatch.setenv(name, value)
    office.start_terraform("d1")
    seen, status = run(office, tmp_path / "seen")

    assert seen.items() >= (SECRET | TARGET | INJECTED).items()
    assert not ELSEWHERE.keys() & seen.keys()
    assert seen["DATABASE_URL"] == f"postgres://me:{PASSWORD}@db"
    assert status["outputs"] == [{"name": "size", "value": "large"}]
    assert_identity_is_absent(seen)
    assert "AWS_STRAY" not in seen
    assert "Runs get these variables of the daemon: AWS_ACCESS_KEY_ID, AWS_REGION," in office.said()
    assert "key (secret) of eu-west-1, url postgres://me:(secret)@db" in office.log("one")
    shown = office.log("one") + office.said() + str(status)
    assert not [value for value in (SECRET["AWS_SECRET_ACCESS_KEY"], PASSWORD) if value in shown]
    assert office.kubectl.get("secret", "tfstate-default-dev-ws"), "the state is kept in the daemon's cluster"


def test_what_pass_env_names_reaches_the_runs_of_any_daemon(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (OWN | SECRET | {"TF_VAR_size": "small", "VAULT_ADDR": "https://vault"}).items():
        monkeypatch.setenv(name, value)
    office.start_terraform("d1", "--pass-env", "AWS_*", "--pass-env", "TF_VAR_size", "--pass-env", "P*")
    seen, status = run(office, tmp_path / "seen")

    assert seen.items() >= (SECRET | {"AWS_STRAY": "unnamed"}).items()
    assert status["outputs"] == [{"name": "size", "value": "small"}]
    assert_identity_is_absent(seen)
    assert "VAULT_ADDR" not in seen
    assert "key (secret) of eu-west-1" in office.log("one")
    assert SECRET["AWS_SECRET_ACCESS_KEY"] not in office.log("one") + office.said() + str(status)
