"""Errors of requests that users make: each has its cause, and a sentence about the object that fits any user interface.

Raised by the builders of patches (`requests`) of the core. The command line and the web server translate them into errors
of their own and add advice in their own terms.
"""

from enum import StrEnum, unique


@unique
class Cause(StrEnum):
    """Reasons why a request changes nothing, or is not possible."""

    AS_REQUESTED = "AsRequested"
    """The field already has the requested value."""
    KEEPS_CHANGING = "KeepsChanging"
    """Others change the object faster than the request can be made."""
    CHANGE_PENDING = "ChangePending"
    """An earlier change of the spec is about to be carried out."""
    REPEATED = "Repeated"
    """The very same request was carried out before."""
    CANCELED = "Canceled"
    CANCEL_REQUESTED = "CancelRequested"
    ENDED = "Ended"
    NOT_ENDED = "NotEnded"
    STARTED = "Started"
    """The job has left the queue."""
    UNEXPECTED_PHASE = "UnexpectedPhase"
    """The request was restricted to jobs of another phase."""
    RUNS_ELSEWHERE = "RunsElsewhere"
    MOST_RETRIES = "MostRetries"
    BEING_BUILT = "BeingBuilt"
    NOT_TO_BE_BUILT = "NotToBeBuilt"
    """No such build of the workspace could be made."""
    NEVER_STARTED = "NeverStarted"
    BEING_DELETED = "BeingDeleted"
    DESIRED_ALREADY = "DesiredAlready"
    """The workspace is already to be started, or to be stopped."""
    NO_ACTIVE_VERSION = "NoActiveVersion"
    VERSION_IN_USE = "VersionInUse"
    MOVES_BY_ITSELF = "MovesByItself"
    """The update policy moves the workspace to the active version."""
    OWNER_GONE = "OwnerGone"
    NOT_LATEST_BUILD = "NotLatestBuild"
    OTHER_TRANSITION = "OtherTransition"
    """The workspace is now to be started instead of stopped, or the other way round."""
    NOT_LATEST_IMPORT = "NotLatestImport"
    NO_LOG = "NoLog"
    NOT_ARCHIVED = "NotArchived"
    NOT_ARCHIVED_YET = "NotArchivedYet"


class RequestError(Exception):
    """Request that is not carried out; the message is a sentence about the object, which it calls "it"."""

    def __init__(self, cause: Cause, message: str, *, name: str = "") -> None:
        """Take the cause, the sentence, and the name of the object that advice refers to."""
        super().__init__(message)
        self.cause = cause
        self.name = name


class NothingToChangeError(RequestError):
    """The object already is as requested. No failure: repeating a request is harmless."""


class NotPossibleError(RequestError):
    """The object is in a state in which the request cannot be carried out."""
