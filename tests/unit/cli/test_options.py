"""Values of options: durations and tags."""

import click
import pytest

from provisioner_operator.cli.options import Duration, Tag


def test_a_duration_is_in_seconds() -> None:
    assert Duration().convert("1h30m", None, None) == 5400
    assert Duration().convert(10.0, None, None) == 10
    with pytest.raises(click.BadParameter, match="is not a duration"):
        Duration().convert("soon", None, None)


def test_a_tag_is_a_key_and_a_value_that_may_be_empty() -> None:
    assert Tag().convert("a=b=c", None, None) == ("a", "b=c")
    assert Tag().convert("owner=", None, None) == ("owner", "")
    assert Tag().convert(("a", "1"), None, None) == ("a", "1")


@pytest.mark.parametrize("text", ["novalue", "=value", ""])
def test_a_tag_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not of the form KEY=VALUE"):
        Tag().convert(text, None, None)
