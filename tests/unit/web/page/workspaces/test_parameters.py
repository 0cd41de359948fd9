"""The form of a workspace's parameters, made from its template."""

from typing import Any

from provisioner_operator.api.v1alpha1.parameters import Parameter
from provisioner_operator.web.page.workspaces.parameters import PREFIX, fields_of, values_of


def a_parameter(name: str = "x", **fields: Any) -> Parameter:
    return Parameter.model_validate({"name": name, "mutable": True, **fields})


def test_each_type_has_its_own_field() -> None:
    parameters = [
        a_parameter("a"),
        a_parameter("b", type="number", validation={"min": 1, "max": 8}),
        a_parameter("c", type="bool"),
        a_parameter("d", type="list(string)", default='["git","vim"]'),
        a_parameter("e", options=[{"name": "Europe", "value": "eu"}, {"name": "America", "value": "us"}]),
    ]
    fields = fields_of(parameters, {"e": "us"}, None)
    assert [each.kind for each in fields] == ["text", "number", "bool", "list", "choice"]
    assert (fields[1].minimum, fields[1].maximum) == (1, 8)
    assert fields[3].value == "git\nvim"
    assert [(each.label, each.chosen) for each in fields[4].options] == [("Europe", False), ("America", True)]


def test_a_value_is_the_chosen_one_or_that_of_the_last_build_or_the_default() -> None:
    parameter = a_parameter(default="1")
    assert fields_of([parameter], {"x": "3"}, {"x": "2"})[0].value == "3"
    assert fields_of([parameter], {}, {"x": "2"})[0].value == "2"
    assert fields_of([parameter], {}, {})[0].value == "1"


def test_without_a_default_a_value_is_required() -> None:
    assert fields_of([a_parameter()], {}, None)[0].required
    assert not fields_of([a_parameter(default="")], {}, None)[0].required


def test_an_immutable_value_is_fixed_once_it_was_built() -> None:
    parameter = a_parameter(mutable=False, type="bool", default="true")
    assert not fields_of([parameter], {}, None)[0].fixed
    assert fields_of([parameter], {}, {"x": "true"})[0].fixed
    assert values_of([parameter], {}, {}, {"x": "true"}) == {}


def test_only_what_differs_is_sent() -> None:
    parameters = [
        a_parameter("a", default="1"),
        a_parameter("b", default="1"),
        a_parameter("c", type="bool", default="true"),
    ]
    sent = {PREFIX + "a": "1", PREFIX + "b": "2"}
    assert values_of(parameters, sent, {}, None) == {"b": "2", "c": "false"}
    assert values_of(parameters, sent | {PREFIX + "c": "true"}, {"b": "2"}, None) == {}


def test_a_list_has_one_item_a_line() -> None:
    parameter = a_parameter(type="list(string)", default="[]")
    assert values_of([parameter], {PREFIX + "x": "git\r\nvim\n"}, {}, None) == {"x": '["git", "vim"]'}


def test_a_field_of_another_name_is_no_parameter() -> None:
    assert values_of([a_parameter(default="1")], {"x": "2", "uid": "3"}, {}, None) == {}


def test_a_list_that_is_no_json_is_shown_as_it_is() -> None:
    assert fields_of([a_parameter(type="list(string)")], {"x": "broken["}, None)[0].value == "broken["


def test_a_value_that_is_no_list_is_shown_as_it_is() -> None:
    parameter = a_parameter(type="list(string)")
    for value in ("git", "[" * 5000, "7"):
        assert fields_of([parameter], {"x": value}, None)[0].value == value
