"""A template written for Coder runs as it is: what Coder's own provider, the real one, gets to know of job and parameters."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.conftest import Office
from provisioner_devcluster import coder_provider_configuration
from provisioner_operator.daemon.terraform.job_variables import ACCESS_URL, STAY

TEMPLATE = (Path(__file__).parent / "templates" / "coder.tf").read_text()
WORKSPACE_UID = "3f2a4b54-5a0e-4d0c-9a52-8f3b1c2d4e5f"
PROJECT = "PROJECT4711"
PARAMETERS = {"region": "eu", "cpu": "4", "monitoring": "true", "ides": '["vim", "code-server"]'}


@pytest.fixture
def coder_office(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office whose daemon installs Coder's provider from the mirror; its project's id lies in a Secret."""
    configuration = tmp_path / "mirror.tfrc"
    configuration.write_text(coder_provider_configuration())
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("CODER_AGENT_URL", "https://of-the-daemon.example.com")
    office.kubectl.run("create", "secret", "generic", "project", f"--from-literal=id={PROJECT}")
    # Not below pytest's own: a provider's socket lies in it, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="coder-") as work:
        office.start_terraform("d1", "--work-dir", work)
        yield office


def a_build(number: int, transition: str, **parameters: str) -> dict[str, Any]:
    """Make the spec of a build of alice's workspace from version v-NUMBER of the template."""
    values = PARAMETERS | parameters
    return {
        "transition": transition,
        "workspaceRef": {"name": "dev", "uid": WORKSPACE_UID, "buildNumber": number, "owner": "Alice@example.com"},
        "templateRef": {"name": "python", "version": f"v-{number}"},
        "source": {"inline": {"files": {"main.tf": TEMPLATE}}},
        "variables": [
            *({"name": name, "value": value} for name, value in values.items()),
            {"name": "project-id", "valueFrom": {"secretKeyRef": {"name": "project", "key": "id"}}},
        ],
    }


def build(office: Office, number: int, transition: str, **parameters: str) -> dict[str, Any]:
    """Run a build to its end and return the job's status."""
    office.submit_spec(f"dev-{number}", a_build(number, transition, **parameters))
    return office.await_phase(f"dev-{number}", "Completed")


def actions(status: dict[str, Any]) -> dict[str, str]:
    """Actions on resources, without data sources, which are only read."""
    done = {resource["address"]: resource["action"] for resource in status.get("resources", [])}
    return {address: action for address, action in done.items() if action != "read"}


def outputs(status: dict[str, Any]) -> dict[str, Any]:
    texts = {output["name"]: output["value"] for output in status["outputs"]}
    return {name: text if name == "home" else json.loads(text) for name, text in texts.items()}


def test_a_template_of_coders_is_started_stopped_changed_and_deleted(coder_office: Office) -> None:
    first = build(coder_office, 1, "Start")
    assert set(actions(first).values()) == {"create"}
    assert {"coder_agent.main", "coder_app.code_server[0]", "coder_metadata.pod[0]", "terraform_data.pod[0]"} <= (
        actions(first).keys()
    )
    second = build(coder_office, 2, "Stop")
    assert {"terraform_data.pod[0]": "delete", "coder_metadata.pod[0]": "delete"}.items() <= actions(second).items()
    third = build(coder_office, 3, "Start", cpu="6", monitoring="false", ides='["vim"]')
    assert actions(third)["terraform_data.pod[0]"] == "create"
    assert "coder_app.code_server[0]" not in actions(third)
    last = build(coder_office, 4, "Delete")
    assert set(actions(last).values()) == {"delete"}

    # What must outlive a stop did, under its name.
    assert "terraform_data.home" not in actions(second) | actions(third)
    assert actions(last)["terraform_data.home"] == "delete"
    assert [outputs(status)["home"] for status in (first, second, third)] == [f"coder-{WORKSPACE_UID}-home"] * 3

    before = outputs(first)
    assert before["workspace"] | {"template_id": None} == {
        "id": WORKSPACE_UID,
        "name": "dev",
        "transition": "start",
        "start_count": 1,
        "template_id": None,
        "template_name": "python",
        "template_version": "v-1",
        "access_url": ACCESS_URL,
        "access_port": 443,
        "prebuild_count": 0,
        "is_prebuild": False,
        "is_prebuild_claim": False,
    }
    assert before["owner"] | {"id": None} == {
        "id": None,
        "name": "Alice",
        "full_name": "Alice@example.com",
        "email": "Alice@example.com",
        "groups": [],
    }
    assert before["parameters"] == PARAMETERS | {"project_id": "(secret)", "greeting": "hello"}
    assert before["pod"] == [{"name": "coder-alice-dev", "command": ["sh", "-c", STAY], "cpu": 4}]

    stopped = outputs(second)["workspace"]
    assert (stopped["transition"], stopped["start_count"], stopped["template_version"]) == ("stop", 0, "v-2")
    assert outputs(second)["pod"] == []
    changed = outputs(third)
    assert changed["parameters"] == before["parameters"] | {"cpu": "6", "monitoring": "false", "ides": '["vim"]'}
    assert changed["pod"][0]["cpu"] == 6
    assert changed["owner"] == before["owner"]

    everything = str([first, second, third, last]) + "".join(coder_office.log(f"dev-{n}") for n in range(1, 5))
    assert PROJECT not in everything + coder_office.said()


def test_a_job_that_says_nothing_of_owner_and_template_runs_with_the_templates_defaults(coder_office: Office) -> None:
    spec = a_build(1, "Start") | {"workspaceRef": {"name": "dev"}, "variables": []}
    del spec["templateRef"]
    seen = []
    for name in ("one", "two"):
        coder_office.submit_spec(name, spec)
        seen.append(outputs(coder_office.await_phase(name, "Completed")))
    one, two = seen
    assert one["parameters"] == {
        "region": "us",
        "project_id": "A1B2",
        "cpu": "2",
        "monitoring": "false",
        "ides": '["vim"]',
        "greeting": "hello",
    }
    assert one["owner"]["name"] == "default"
    assert one["workspace"] == two["workspace"]  # ids too: nothing is made anew by another build
    assert one["owner"] == two["owner"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"region": "mars"}, 'the value "mars" must be defined as one of options'),
        ({"cpu": "9"}, "value 9 is more than the maximum 8"),
        ({"monitoring": "perhaps"}, '"perhaps" is not a bool'),
        ({"ides": '["emacs"]'}, 'values "emacs" are missing from the options'),
    ],
)
def test_a_value_that_the_template_refuses_fails_the_job_in_the_providers_words(
    coder_office: Office, parameters: dict[str, str], said: str
) -> None:
    coder_office.submit_spec("one", a_build(1, "Start", **parameters))
    status = coder_office.await_phase("one", "Failed")
    assert status["reason"] == "RunFailed"
    assert said in status["message"] + coder_office.log("one")
