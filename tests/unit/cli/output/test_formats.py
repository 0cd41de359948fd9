"""Output for programs: valid, stable, also when there is nothing."""

import io
import json
from typing import Any

import pytest
import yaml

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.output import formats


def a_body(name: str) -> dict[str, Any]:
    meta = {"name": name, "managedFields": [{"manager": "x"}]}
    return {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": meta,
        "spec": {"text": 'ä\n"x"'},
    }


def written(form: str, *bodies: dict[str, Any]) -> str:
    stream = io.StringIO()
    formats.write_list(stream, form, iter(bodies))
    return stream.getvalue()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_is_an_array_in_json_and_yaml(count: int) -> None:
    bodies = [a_body(f"job-{number}") for number in range(count)]
    for document in (json.loads(written("json", *bodies)), yaml.safe_load(written("yaml", *bodies))):
        assert [each["metadata"] for each in document] == [{"name": f"job-{number}"} for number in range(count)]
        assert all(each["spec"] == {"text": 'ä\n"x"'} for each in document)


def test_nothing_is_an_empty_array() -> None:
    assert written("json") == "[]\n"
    assert written("yaml") == "[]\n"
    assert written("name") == ""
    assert written("jsonpath={.items[*].metadata.name}") == ""


def test_names_are_those_that_kubectl_takes() -> None:
    assert written("name", a_body("dev-7")) == "provisionerjob.provisioner.dev/dev-7\n"
    assert formats.name_of({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}) == "pod/p"


def test_a_template_is_over_a_list() -> None:
    assert written("jsonpath={.items[*].metadata.name}", a_body("a"), a_body("b")) == "a b\n"


@pytest.mark.parametrize("form", ["xml", "jsonpath", "jsonpath=", "jsonpath={.a"])
def test_a_form_that_does_not_exist_is_a_usage_error(form: str) -> None:
    with pytest.raises(UsageError):
        formats.checked(form)
