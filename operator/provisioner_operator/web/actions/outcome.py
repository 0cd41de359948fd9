"""Outcomes of the actions that users ask for."""

from dataclasses import dataclass
from enum import StrEnum

from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, RequestError
from provisioner_operator.kube.object_states import Body


class Result(StrEnum):
    """Kinds of outcomes."""

    DONE = "done"
    NOTHING_TO_DO = "nothing-to-do"
    """The object already is as requested."""
    REFUSED = "refused"
    """The object is in a state in which the request is not possible. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one action on one object."""

    result: Result
    message: str
    """A sentence for people, which calls the object "it"."""
    cause: Cause | None = None
    """Reason why nothing was done."""
    body: Body | None = None
    """The object after the change, or as it is without one; None if it was not read, or is gone."""

    @property
    def is_refused(self) -> bool:
        """Whether the request was not possible."""
        return self.result is Result.REFUSED


def done(message: str, body: Body | None) -> Outcome:
    """Return the outcome of a change that was made."""
    return Outcome(Result.DONE, message, body=body)


def not_done(error: RequestError, body: Body | None = None) -> Outcome:
    """Return the outcome of a request that the core's rules did not carry out."""
    result = Result.NOTHING_TO_DO if isinstance(error, NothingToChangeError) else Result.REFUSED
    return Outcome(result, str(error), error.cause, body)
