"""Policy of a stop or a destroy that no daemon started in time: it is tried again by itself, after a growing pause.

Nothing began, so nothing can be half done. A start is left alone: whoever wants it is there to see that it failed, while
a stop (also by autostop) or a destroy leaves resources running that everybody believes to be gone.
"""

from provisioner_operator.api.v1alpha1.enums import EndReason, Transition
from provisioner_operator.core.model.backoff import doubled
from provisioner_operator.core.workspaces.build_history import BuildHistory

FIRST_RETRY_SECONDS = 30.0
LONGEST_RETRY_SECONDS = 3600.0


def retry_time(history: BuildHistory) -> float | None:
    """Return the wall-clock time at which the latest build is tried again; None if it is not."""
    latest = history.latest
    if latest is None or latest.transition is Transition.START or latest.started is not None:
        return None
    if latest.finished is None or latest.reason != EndReason.PENDING_TIMEOUT:
        return None
    # Builds that never began have the numbers after the last run's, so nothing has to be remembered.
    attempts = latest.number - (history.last_run.number if history.last_run is not None else 0)
    return latest.finished + doubled(FIRST_RETRY_SECONDS, attempts - 1, LONGEST_RETRY_SECONDS)


def is_due_again(history: BuildHistory, change: str, wall: float) -> bool:
    """Return whether the latest build was for this change, never began, and is tried again now."""
    due = retry_time(history)
    return due is not None and due <= wall and history.latest is not None and history.latest.change == change


def seconds_to_next_build(stops_at: float | None, history: BuildHistory, wall: float) -> float | None:
    """Return the seconds until autostop, or until the latest build is tried again; None if neither will be."""
    times = [each - wall for each in (stops_at, retry_time(history)) if each is not None]
    return min((each for each in times if each > 0), default=None)
