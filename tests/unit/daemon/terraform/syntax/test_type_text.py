import pytest

from provisioner_operator.daemon.terraform.syntax.type_text import type_text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("string # of the region", "string"),
        ('"string"', "string"),
        ("list( string )", "list(string)"),
        ("object({\n  # {\n  a = string\n\n  b = number // }\n})", "object({a = string, b = number})"),
        ("object({ a : string, b : bool, })", "object({a = string, b = bool})"),
        ("tuple([\n  string, # ]\n  number,\n])", "tuple([string, number])"),
        ('object({ a = optional(string, "}, #") })', 'object({a = optional(string, "}, #")})'),
        ("object({ a = optional(number, -1.5) })", "object({a = optional(number, -1.5)})"),
        ("", "any"),
    ],
)
def test_a_type_is_shown_on_one_line(written: str, shown: str) -> None:
    assert type_text(written) == shown
