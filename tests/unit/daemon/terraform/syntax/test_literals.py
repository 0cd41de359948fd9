import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.daemon.terraform.syntax.literals import NoLiteralError, literal_as_json

DEEPEST = 100

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\b\f/")
TEXT = st.text(CHARACTERS).filter(lambda text: "${" not in text and "%{" not in text)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(VALUES, st.sampled_from([None, 2]))
def test_json_means_what_it_says(value: object, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if "\\u" not in text:  # JSON's escapes for control characters are Terraform's too
        assert json.loads(literal_as_json(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["a", "b",]', ["a", "b"]),
        ("[\n  1, # one\n  2 // two\n  /* three,\n four */\n]", [1, 2]),
        ('{a = 1, "b c" : [true, null]}', {"a": 1, "b c": [True, None]}),
        ('{\n  a = "x"\n  b = {}\n}\n', {"a": "x", "b": {}}),
        ("{true = 1}", {"true": 1}),
        ("{a = 1, a = 2}", {"a": 2}),
        ("-1.50", -1.5),
        ("007", 7),
        ("1E+3", 1000.0),
        (r'"say \"hi\"\n\t\\ é \U0001F511"', 'say "hi"\n\t\\ é \N{KEY}'),
        ('"$${a} %%{b} $$ $c %"', "${a} %{b} $$ $c %"),
        ("{größe = 1}", {"größe": 1}),
        ("\n[]\n", []),
    ],
)
def test_terraforms_own_notation_is_read(text: str, value: object) -> None:
    assert json.loads(literal_as_json(text)) == value


def test_numbers_keep_all_their_digits() -> None:
    assert (
        literal_as_json("[12345678901234567890.12345678901234567890]") == "[12345678901234567890.12345678901234567890]"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "eu", "1 + 1", "[for x in [1] : x]", "{for k in [] : k => k}", 'upper("a")', "var.a", "(1)", "- 1"),
        *('"${a}"', '"a${"b"}"', '"%{ if true }"', '"\\q"', '"\\uD800"', '"\\UFFFFFFFF"', '"open', '"two\nlines"'),
        *("<<E\na\nE\n", "[1 2]", "[1\n2]", "{a}", "{a = }", "{a = 1 b = 2}", "{1 = 2}", "[", "{", "]", "[]]", "1\n2"),
        *("1)\nother = (2", '"a"\nother = "b"', "/*", "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "[" * 50_000),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NoLiteralError):
        literal_as_json(text)
