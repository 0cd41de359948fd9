"""A value is kept as long as it is used, and its number is given away afterwards."""

import pytest

from provisioner_operator.web.index.shared_values import SharedValues


def test_equal_values_have_one_number() -> None:
    values: SharedValues[str] = SharedValues()
    assert values.take("a") == values.take("a") != values.take("b")
    assert len(values) == 2
    assert dict(values.items()) == {values.find("a"): "a", values.find("b"): "b"}


def test_a_value_is_forgotten_with_its_last_use() -> None:
    values: SharedValues[str] = SharedValues()
    number = values.take("a")
    values.take("a")

    values.drop(number)
    assert values.get(number) == "a"
    values.drop(number)
    assert values.find("a") is None
    with pytest.raises(LookupError):
        values.get(number)
    assert values.take("b") == number
    assert values.get(number) == "b"
