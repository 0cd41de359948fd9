"""Resolution of a workspace's parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import ParameterType
from provisioner_operator.core.workspaces.parameters import resolve
from provisioner_operator.core.workspaces.records import Parameter

NUMBER = Parameter("size", ParameterType.NUMBER, minimum=1, maximum=8)
BOOL = Parameter("size", ParameterType.BOOL)
LIST = Parameter("size", ParameterType.LIST, options=("a", "b"))
CHOICE = Parameter("size", options=("small", "large"))
PATTERN = Parameter("size", regex="^[a-z]+$", error="small letters only")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (NUMBER, "1"),
        (NUMBER, "7.5"),
        (BOOL, "true"),
        (LIST, "[]"),
        (LIST, '["a", "b"]'),
        (CHOICE, "large"),
        (PATTERN, "abc"),
        (Parameter("size"), ""),
        (Parameter("size", ParameterType.NUMBER), "-0.5"),
    ],
)
def test_a_value_that_fits_is_taken(parameter: Parameter, value: str) -> None:
    assert resolve([parameter], (("size", value),), ()).values == (("size", value),)


@pytest.mark.parametrize(
    ("parameter", "value", "says"),
    [
        (NUMBER, "0", "at least 1"),
        (NUMBER, "9", "at most 8"),
        (NUMBER, "four", "must be a number"),
        (NUMBER, "nan", "must be a number"),
        (NUMBER, " 4", "must be a number"),
        (NUMBER, "1_0", "must be a number"),
        (BOOL, "yes", "true or false"),
        (LIST, "a", "JSON list of strings"),
        (LIST, '["a", 1]', "JSON list of strings"),
        (LIST, '["c"]', "'c' is not one of the options 'a', 'b'"),
        (CHOICE, "medium", "not one of the options 'small', 'large'"),
        (PATTERN, "ABC", "small letters only"),
        (Parameter("size", regex="("), "a", "fix the template"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_it_has_to_be(parameter: Parameter, value: str, says: str) -> None:
    resolution = resolve([parameter], (("size", value),), ())

    assert resolution.values == ()
    assert says in resolution.problems[0]
    assert resolution.problems[0].startswith("size ")


def test_what_is_not_chosen_is_the_default() -> None:
    assert resolve([Parameter("size", default="small")], (), ()).values == (("size", "small"),)


def test_what_has_no_default_has_to_be_chosen() -> None:
    assert "size has no value" in resolve([Parameter("size")], (), ()).problems[0]


def test_what_the_version_does_not_have_cannot_be_chosen() -> None:
    assert resolve([Parameter("size", default="1")], (("sice", "2"),), ()).problems == (
        "The version has no parameter sice; its parameters are: size.",
    )


def test_what_is_not_mutable_stays_as_it_was_built() -> None:
    fixed = Parameter("size", default="large")

    assert "it was 'small'" in resolve([fixed], (("size", "large"),), (("size", "small"),)).problems[0]
    # Not even by a new default.
    assert resolve([fixed], (), (("size", "small"),)).values == (("size", "small"),)


def test_what_is_mutable_follows_the_spec_and_the_template() -> None:
    free = Parameter("size", default="large", mutable=True)

    assert resolve([free], (("size", "other"),), (("size", "small"),)).values == (("size", "other"),)
    assert resolve([free], (), (("size", "small"),)).values == (("size", "large"),)


@given(st.sampled_from(list(ParameterType)), st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_written_there_is_a_value_or_a_sentence(type_: ParameterType, value: str, regex: str) -> None:
    resolution = resolve([Parameter("size", type_, regex=regex)], (("size", value),), ())

    assert bool(resolution.values) != bool(resolution.problems)
