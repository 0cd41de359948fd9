"""Translate errors of the core's requests into those of the command line, with advice that names its commands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from provisioner_operator.cli.errors import NothingToDoError, PreconditionError
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError, RequestError

ADVICE: Mapping[Cause, str] = {
    Cause.STARTED: ". `jobs cancel` stops a run.",
    Cause.UNEXPECTED_PHASE: " (--if-pending).",
    Cause.NEVER_STARTED: "; `workspaces start` starts it",
    Cause.DESIRED_ALREADY: "; `workspaces rebuild` repeats its latest build",
    Cause.NO_ACTIVE_VERSION: ": `templates show {name}` says why.",
    Cause.VERSION_IN_USE: "; `workspaces rebuild` builds it again",
    Cause.NOT_LATEST_BUILD: ". To build the workspace as it should be now: `workspaces rebuild {name}`.",
    Cause.OTHER_TRANSITION: ". Use `workspaces start {name}` or `workspaces stop {name}`.",
    Cause.NOT_LATEST_IMPORT: ". To import the present source: `templates import {name}`.",
    Cause.MOST_RETRIES: ": choose the new job's name with --name.",
    Cause.NOT_ARCHIVED_YET: ". Try again, or use -f.",
}
"""Commands and options that lead further. They continue the sentence in place of its full stop."""


@contextmanager
def as_cli_errors() -> Iterator[None]:
    """Raise NothingToDoError and PreconditionError in place of the core's errors."""
    try:
        yield
    except NothingToChangeError as error:
        raise NothingToDoError(_after_a_name(error)) from error
    except NotPossibleError as error:
        raise precondition_error(error) from error


def precondition_error(error: NotPossibleError) -> PreconditionError:
    """Return the error of the command line in place of the core's."""
    return PreconditionError(_continued(error, "."))


def _after_a_name(error: NothingToChangeError) -> str:
    """Return the sentence as it continues a line that begins with the object's name: "It is …" becomes "is …"."""
    text = _continued(error, "").removeprefix("It ")
    return f"{text[:1].lower()}{text[1:]}"


def _continued(error: RequestError, ending: str) -> str:
    return str(error).removesuffix(".") + ADVICE.get(error.cause, ending).format(name=error.name)
