"""Exit codes, and the errors that carry them. The only place that knows the numbers."""

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. They are part of the interface: scripts depend on them."""

    OK = 0
    """Everything was done."""
    FAILED = 1
    """The command failed, or it failed for several objects in different ways."""
    USAGE = 2
    """The command line or the kubeconfig is wrong."""
    NOT_FOUND = 3
    """An object, or its kind, does not exist."""
    FORBIDDEN = 4
    """The user lacks a permission."""
    PRECONDITION = 5
    """The object is not in the required state."""
    TIMED_OUT = 124
    """The awaited state was not reached in time."""
    INTERRUPTED = 130
    """Ctrl-C."""


MEANINGS: dict[Exit, str] = {
    Exit.OK: "everything was done",
    Exit.FAILED: "the command failed, or it failed for several objects in different ways",
    Exit.USAGE: "the command line or the kubeconfig is wrong",
    Exit.NOT_FOUND: "an object, or its kind, does not exist",
    Exit.FORBIDDEN: "you lack a permission",
    Exit.PRECONDITION: "the object is not in the required state",
    Exit.TIMED_OUT: "the awaited state was not reached in time",
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
    """The user lacks a permission."""

    code = Exit.FORBIDDEN


class PreconditionError(CliError):
    """The object is not in the required state."""

    code = Exit.PRECONDITION


class ChangedError(PreconditionError):
    """The object changed after it was read: read it again and decide again."""


class AlreadyExistsError(PreconditionError):
    """An object of this name exists already."""


class TimedOutError(CliError):
    """The awaited state was not reached in time."""

    code = Exit.TIMED_OUT


class ServerAwayError(CliError):
    """The API server does not answer: the outcome of the request is unknown, and it may succeed later."""


class ExpiredError(CliError):
    """A watch, or a page of a list, is too old to be continued: list again."""


class NothingToDoError(Exception):
    """The object already is as requested; the message says so. Not a failure: the exit code stays 0."""


def require(condition: object, message: str, error: type[CliError] = UsageError) -> None:
    """Raise the error with this message unless the condition holds."""
    if not condition:
        raise error(message)


def combined(codes: Iterable[Exit]) -> Exit:
    """Return one exit code for several objects: that of the failures if they are all alike, else FAILED."""
    failures = {code for code in codes if code is not Exit.OK}
    if not failures:
        return Exit.OK
    return failures.pop() if len(failures) == 1 else Exit.FAILED
