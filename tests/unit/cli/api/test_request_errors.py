"""Errors of the core's requests in the words of the command line: those that follow a name, and whole sentences."""

import pytest

from provisioner_operator.cli.api.request_errors import as_cli_errors
from provisioner_operator.cli.errors import CliError, Exit, NothingToDoError
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError, RequestError


def in_words(error: RequestError) -> str:
    with pytest.raises((CliError, NothingToDoError)) as raised, as_cli_errors():
        raise error
    return str(raised.value)


@pytest.mark.parametrize(
    ("cause", "message", "words"),
    [
        (Cause.CANCELED, "It is Canceled already.", "is Canceled already"),
        (
            Cause.CANCEL_REQUESTED,
            "Its cancel was requested before; it is Running.",
            "its cancel was requested before; it is Running",
        ),
        (Cause.NEVER_STARTED, "It was never started.", "was never started; `workspaces start` starts it"),
        (
            Cause.DESIRED_ALREADY,
            "It is already set to be running.",
            "is already set to be running; `workspaces rebuild` repeats its latest build",
        ),
        (
            Cause.VERSION_IN_USE,
            "It uses the active version v-1 already.",
            "uses the active version v-1 already; `workspaces rebuild` builds it again",
        ),
    ],
)
def test_what_needs_no_change_is_said_of_the_name_before_it(cause: Cause, message: str, words: str) -> None:
    assert in_words(NothingToChangeError(cause, message)) == words


@pytest.mark.parametrize(
    ("cause", "message", "words"),
    [
        (Cause.ENDED, "It has ended: it is Failed.", "It has ended: it is Failed."),
        (
            Cause.UNEXPECTED_PHASE,
            "It is no longer pending: it is Running. It was left unchanged.",
            "It is no longer pending: it is Running. It was left unchanged (--if-pending).",
        ),
        (
            Cause.STARTED,
            "It is Running: only a pending job can be suspended or resumed.",
            "It is Running: only a pending job can be suspended or resumed. `jobs cancel` stops a run.",
        ),
        (
            Cause.NO_ACTIVE_VERSION,
            "Template t has no active version yet.",
            "Template t has no active version yet: `templates show t` says why.",
        ),
        (
            Cause.NOT_LATEST_BUILD,
            "dev-1 is not the latest build of workspace t, which is dev-2.",
            (
                "dev-1 is not the latest build of workspace t, which is dev-2. "
                "To build the workspace as it should be now: `workspaces rebuild t`."
            ),
        ),
    ],
)
def test_what_is_not_possible_comes_with_the_command_that_leads_further(cause: Cause, message: str, words: str) -> None:
    assert in_words(NotPossibleError(cause, message, name="t")) == words


def test_what_is_not_possible_is_an_unmet_precondition() -> None:
    with pytest.raises(CliError) as raised, as_cli_errors():
        raise NotPossibleError(Cause.ENDED, "It has ended.")
    assert raised.value.code is Exit.PRECONDITION
