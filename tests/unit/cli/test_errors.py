"""Exit codes of several objects."""

import pytest

from provisioner_operator.cli.errors import (
    MEANINGS,
    Exit,
    NotFoundError,
    PreconditionError,
    UsageError,
    combined,
    require,
)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], Exit.OK),
        ([Exit.OK, Exit.OK], Exit.OK),
        ([Exit.OK, Exit.FORBIDDEN, Exit.FORBIDDEN], Exit.FORBIDDEN),
        ([Exit.NOT_FOUND, Exit.FORBIDDEN], Exit.FAILED),
    ],
)
def test_several_failures_have_their_own_code_if_they_are_alike(codes: list[Exit], code: Exit) -> None:
    assert combined(codes) is code


def test_every_code_has_its_meaning_in_the_manual() -> None:
    assert set(MEANINGS) == set(Exit)


def test_a_requirement_that_is_not_met_is_raised_as_its_error() -> None:
    require("something", "unused")
    with pytest.raises(UsageError, match="this is wrong"):
        require(None, "this is wrong")
    with pytest.raises(PreconditionError):
        require([], "too late", PreconditionError)
    assert NotFoundError.code is Exit.NOT_FOUND
