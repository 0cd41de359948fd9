"""Completion of fixed words."""

import click
import pytest

from provisioner_operator.cli.completion import words


@pytest.mark.parametrize(
    ("incomplete", "expected"),
    [
        ("", ["pending", "failed"]),
        ("PE", ["pending"]),
        ("pending,f", ["pending,failed"]),
        ("pending,", ["pending,pending", "pending,failed"]),
        ("x", []),
    ],
)
def test_the_last_word_of_a_list_is_completed(incomplete: str, expected: list[str]) -> None:
    command = click.Command("list")
    option = click.Option(["--status"])
    assert words("pending", "failed")(click.Context(command), option, incomplete) == expected
