"""States in the backend that a template names, `spec.state`: a real Terraform, and a server that stores and locks."""

from collections.abc import Iterator
from typing import Any

import pytest

from integration.daemon.conftest import Office
from support.programs.state_server import PASSWORD, USERNAME, StateServer, a_state_server

TEMPLATE = """
terraform {
  backend "http" {}
}
variable "provisioner_transition" {}
resource "terraform_data" "kept" {}
resource "terraform_data" "counted" {
  count = var.provisioner_transition == "start" ? 1 : 0
}
"""


@pytest.fixture
def states() -> Iterator[StateServer]:
    with a_state_server() as server:
        yield server


@pytest.fixture
def tofu_office(office: Office) -> Office:
    office.kubectl.run("create", "secret", "generic", "login", f"--from-literal=password={PASSWORD}")
    office.start_terraform("d1")
    return office


def a_build(states: StateServer, *, text: str = TEMPLATE, transition: str = "Start", **settings: str) -> dict[str, Any]:
    place = f"{states.url}/$(provisioner_namespace)/$(provisioner_workspace)"
    plain = {"address": place, "lock_address": place, "unlock_address": place, "username": USERNAME} | settings
    password = {"name": "password", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}
    return {
        "transition": transition,
        "workspaceRef": {"name": "dev"},
        "source": {"inline": {"files": {"main.tf": text}}},
        "state": {
            "backend": "Template",
            "backendConfig": [*({"name": name, "value": value} for name, value in plain.items()), password],
        },
    }


def test_a_workspace_is_started_stopped_and_deleted_on_its_state_in_the_backend(
    tofu_office: Office, states: StateServer
) -> None:
    path = f"/{tofu_office.namespace}/dev"
    kept = []
    for name, transition in (("one", "Start"), ("two", "Stop"), ("three", "Delete")):
        tofu_office.submit_spec(name, a_build(states, transition=transition))
        tofu_office.await_phase(name, "Completed")
        kept.append([each["name"] for each in states.state(path)["resources"]])
    assert kept == [["counted", "kept"], ["kept"], []]
    assert list(states.states) == [path]
    assert not states.locks
    assert not tofu_office.kubectl.list_all("lease")
    assert {each["metadata"]["name"] for each in tofu_office.kubectl.list_all("secret")} == {"login"}
    assert PASSWORD not in tofu_office.log("one") + tofu_office.said() + str(tofu_office.job("one"))


def test_a_locked_state_is_reported_with_its_holder_and_left_alone(tofu_office: Office, states: StateServer) -> None:
    path = f"/{tofu_office.namespace}/dev"
    states.lock(path, "somebody@elsewhere")
    tofu_office.submit_spec("one", a_build(states))
    status = tofu_office.await_phase("one", "Failed")
    assert status["reason"] == "StateLocked"
    assert "locked by somebody@elsewhere" in status["message"]
    assert "force-unlock 1-2-3" in status["message"]
    assert list(states.locks) == [path]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the files name no backend for the state"),
        ('terraform {\n  backend "local" {}\n}\n', "spec.state.backendConfig"),
        ('terraform {\n  backend "inmem" {}\n}\n', "spec.state.backendConfig"),
    ],
)
def test_files_that_name_no_backend_are_refused_before_anything_is_applied(
    tofu_office: Office, states: StateServer, text: str, said: str
) -> None:
    tofu_office.submit_spec("one", a_build(states, text=text + 'resource "terraform_data" "kept" {}\n'))
    status = tofu_office.await_phase("one", "Failed")
    assert said in status["message"]
    assert "resources" not in status
    assert not states.states


def test_a_setting_that_the_backend_does_not_have_is_named(tofu_office: Office, states: StateServer) -> None:
    tofu_office.submit_spec("one", a_build(states, bucket="states"))
    message = tofu_office.await_phase("one", "Failed")["message"]
    assert "does not take spec.state.backendConfig" in message
    assert "bucket" in message
