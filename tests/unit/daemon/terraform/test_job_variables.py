"""Variables that a template gets about its job: its own, and those that Coder's provider reads."""

import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.core.workspaces.template_faults import OWN_VARIABLES
from provisioner_operator.daemon.terraform.job_variables import coder_owner, coder_parameter, context_environment
from unit.daemon.builders import a_task

LONGEST_OWNER = 32

WORKSPACE = {
    "name": "dev",
    "uid": "3f2a4b54-5a0e-4d0c-9a52-8f3b1c2d4e5f",
    "buildNumber": 3,
    "owner": "alice@example.com",
}
TEMPLATE = {"name": "python", "uid": "b2b7c1de-0000-4000-8000-000000000000", "version": "v-1a2b3c"}
OWN = ("transition", "workspace", "namespace", "owner", "build_number", "template", "template_version")


def environment_of(values: dict[str, str] | None = None, **spec: Any) -> dict[str, str]:
    """Return the context of a build of WORKSPACE from TEMPLATE, unless the spec says otherwise."""
    fields: dict[str, Any] = {"workspaceRef": WORKSPACE, "templateRef": TEMPLATE} | spec
    return context_environment(a_task(**fields).model, values or {})


def own(environment: dict[str, str]) -> dict[str, str]:
    return {name: environment[f"TF_VAR_provisioner_{name}"] for name in OWN}


def test_a_template_may_declare_variables_for_all_of_the_context() -> None:
    assert own(environment_of()) == {
        "transition": "start",
        "workspace": "dev",
        "namespace": "acme",
        "owner": "alice@example.com",
        "build_number": "3",
        "template": "python",
        "template_version": "v-1a2b3c",
    }


def test_what_a_hand_written_job_does_not_say_is_empty_and_its_number_still_a_number() -> None:
    environment = environment_of(workspaceRef={"name": "dev"}, templateRef=None)
    assert own(environment) == dict.fromkeys(OWN, "") | {
        "transition": "start",
        "workspace": "dev",
        "namespace": "acme",
        "build_number": "0",
    }


def test_a_variable_cannot_pretend_another_owner() -> None:
    environment = environment_of({"provisioner_owner": "mallory"})
    assert environment["TF_VAR_provisioner_owner"] == "alice@example.com"


@pytest.mark.parametrize(
    ("transition", "word", "coders_word"),
    [("Start", "start", "start"), ("Stop", "stop", "stop"), ("Delete", "delete", "destroy")],
)
def test_a_transition_is_passed_in_our_word_and_in_coders(transition: str, word: str, coders_word: str) -> None:
    environment = environment_of(transition=transition)
    assert environment["TF_VAR_provisioner_transition"] == word
    assert environment["CODER_WORKSPACE_TRANSITION"] == coders_word


def test_the_provider_gets_workspace_owner_and_template() -> None:
    environment = environment_of()
    assert environment["CODER_WORKSPACE_NAME"] == "dev"
    assert environment["CODER_WORKSPACE_ID"] == WORKSPACE["uid"]
    assert environment["CODER_WORKSPACE_OWNER"] == "alice"
    assert environment["CODER_WORKSPACE_OWNER_NAME"] == "alice@example.com"
    assert environment["CODER_WORKSPACE_OWNER_EMAIL"] == "alice@example.com"
    assert environment["CODER_WORKSPACE_TEMPLATE_NAME"] == "python"
    assert environment["CODER_WORKSPACE_TEMPLATE_VERSION"] == "v-1a2b3c"


def test_ids_are_the_same_at_each_build_even_where_no_object_has_one() -> None:
    by_hand = {"name": "dev"}
    first, second = (environment_of(workspaceRef=by_hand, transition=transition) for transition in ("Start", "Delete"))
    for name in ("CODER_WORKSPACE_ID", "CODER_WORKSPACE_OWNER_ID", "CODER_WORKSPACE_TEMPLATE_ID"):
        assert first[name] == second[name]
        assert str(uuid.UUID(first[name])) == first[name]


def test_ids_tell_workspaces_and_owners_apart() -> None:
    one, other = (
        environment_of(workspaceRef={"name": "one"}),
        environment_of(workspaceRef={"name": "other", "owner": "bob"}),
    )
    assert one["CODER_WORKSPACE_ID"] != other["CODER_WORKSPACE_ID"]
    assert one["CODER_WORKSPACE_OWNER_ID"] != other["CODER_WORKSPACE_OWNER_ID"]


def test_the_id_of_a_template_is_the_same_whether_the_job_bears_its_uid_or_not() -> None:
    without = {key: value for key, value in TEMPLATE.items() if key != "uid"}
    assert (
        environment_of(templateRef=without)["CODER_WORKSPACE_TEMPLATE_ID"]
        == environment_of()["CODER_WORKSPACE_TEMPLATE_ID"]
    )


def test_who_has_no_name_of_an_owner_leaves_it_to_the_provider() -> None:
    environment = environment_of(workspaceRef={"name": "dev"})
    assert (
        not {"CODER_WORKSPACE_OWNER", "CODER_WORKSPACE_OWNER_NAME", "CODER_WORKSPACE_OWNER_EMAIL"} & environment.keys()
    )


def test_a_template_that_is_not_named_is_left_out() -> None:
    assert not [name for name in environment_of(templateRef=None) if name.startswith("CODER_WORKSPACE_TEMPLATE")]


def test_an_import_knows_no_workspace() -> None:
    environment = environment_of(type="TemplateImport", workspaceRef=None, transition=None)
    assert environment["CODER_WORKSPACE_TRANSITION"] == "start"
    assert environment["CODER_WORKSPACE_OWNER_GROUPS"] == "[]"
    assert not {"CODER_WORKSPACE_NAME", "CODER_WORKSPACE_ID"} & environment.keys()


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ("alice", "alice"),
        ("Alice.Smith@example.com", "Alice-Smith"),
        ("system:serviceaccount:acme:bot", "system-serviceaccount-acme-bot"),
        ("https://login.example.com#alice@example.com", "https-login-example-com-alice-ex"),
        ("-_-", ""),
        ("a" * (LONGEST_OWNER - 1) + "-tail", "a" * (LONGEST_OWNER - 1)),
    ],
)
def test_a_user_of_kubernetes_becomes_a_user_name_of_coder(user: str, name: str) -> None:
    assert coder_owner(user) == name


def test_a_parameter_lies_under_the_digest_of_its_name_and_in_the_variable_of_its_name() -> None:
    environment = environment_of({"region": "eu"})
    # From `printf region | sha256sum`: the provider reads exactly this.
    assert environment["CODER_PARAMETER_" + "c697d2981bf416569a16cfbcdec1542b5398f3cc77d2b905819aa99c46ecf6f6"] == "eu"
    assert environment["TF_VAR_region"] == "eu"


@pytest.mark.parametrize("value", ["007", "True", '["a", "b"]', "", " ", "ä\n"])
def test_a_value_is_passed_on_as_it_is(value: str) -> None:
    assert environment_of({"any": value})[coder_parameter("any")] == value


def test_the_agents_script_keeps_a_container_and_ends_when_told_to(tmp_path: Path) -> None:
    script = environment_of()["CODER_AGENT_SCRIPT_linux_amd64"]
    pipe = tmp_path / "asleep"
    os.mkfifo(pipe)
    sleep = tmp_path / "sleep"
    sleep.write_text(f'#!/bin/sh\nexec {shutil.which("sleep")} "$@" > {pipe}\n')
    sleep.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen(["sh", "-c", script], start_new_session=True, env=environment) as process:
        pipe.open().close()  # returns once it sleeps
        process.terminate()
        assert process.wait(timeout=60) == 0
        os.killpg(process.pid, signal.SIGKILL)  # the sleep itself, which a container would take with it


def test_every_variable_that_describes_the_job_counts_as_set() -> None:
    assert {name.removeprefix("TF_VAR_") for name in environment_of() if name.startswith("TF_VAR_")} == OWN_VARIABLES
