"""Outcomes of an action on several objects."""

import pytest

from provisioner_operator.cli.errors import Exit, ForbiddenError, NothingToDoError
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.output.terminal import Terminal


def test_each_name_is_acted_on_once_and_a_failure_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    def act(name: str) -> str:
        if name == "b":
            raise ForbiddenError("You may not.")
        if name == "c":
            raise NothingToDoError("is done already")
        return "done"

    codes = for_each(Terminal(), ["a", "b", "a", "c"], act)
    assert codes == {"a": Exit.OK, "b": Exit.FORBIDDEN, "c": Exit.OK}
    printed = capsys.readouterr()
    assert printed.out == "a: done\nc: is done already\n"
    assert printed.err == "b: You may not.\n"
