"""How a command ends: its exit codes, and the errors that carry them. The only place that knows the numbers."""

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. They are part of the interface: scripts depend on them."""

    OK = 0
    """All went as asked."""
    FAILED = 1
    """Something failed, or several jobs ended in different ways."""
    USAGE = 2
    """The command line is wrong."""
    NOT_FOUND = 3
    """An object, or its kind, does not exist."""
    FORBIDDEN = 4
    """A right is missing."""
    PRECONDITION = 5
    """The object is not in the state that was asked for."""
    TIMED_OUT = 124
    """What was waited for did not come in time."""
    INTERRUPTED = 130
    """Ctrl-C."""


MEANINGS: dict[Exit, str] = {
    Exit.OK: "all went as asked",
    Exit.FAILED: "something failed, or several jobs ended in different ways",
    Exit.USAGE: "the command line is wrong",
    Exit.NOT_FOUND: "an object, or its kind, does not exist",
    Exit.FORBIDDEN: "a right is missing",
    Exit.PRECONDITION: "the object is not in the state that was asked for",
    Exit.TIMED_OUT: "what was waited for did not come in time",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}
"""For the manual."""


class CliError(Exception):
    """Ends the command with a sentence for its user, and an exit code."""

    code = Exit.FAILED


class UsageError(CliError):
    """The command line, or the configuration that it names, is wrong."""

    code = Exit.USAGE


class NotFoundError(CliError):
    """An object, or its kind, does not exist."""

    code = Exit.NOT_FOUND


class ForbiddenError(CliError):
    """A right is missing."""

    code = Exit.FORBIDDEN


class PreconditionError(CliError):
    """The object is not in the state that was asked for."""

    code = Exit.PRECONDITION


class TimedOutError(CliError):
    """What was waited for did not come in time."""

    code = Exit.TIMED_OUT


class ServerAwayError(CliError):
    """The API server does not answer: what was asked is unknown, and may work later."""


class ExpiredError(CliError):
    """A watch, or a page of a list, is too old to be continued: list anew."""


def combined(codes: Iterable[Exit]) -> Exit:
    """The exit code of several things done one by one: their own if all that failed failed alike."""
    failures = {code for code in codes if code is not Exit.OK}
    if not failures:
        return Exit.OK
    return failures.pop() if len(failures) == 1 else Exit.FAILED
