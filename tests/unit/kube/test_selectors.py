"""The selectors say the same of each phase as the lifecycle does."""

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.kube.selectors import ENDED_JOBS, UNFINISHED_JOBS, unfinished_jobs_of


def selected(selector: str) -> set[Phase]:
    """The phases that a selector of exclusions leaves."""
    excluded = {term.removeprefix("status.phase!=") for term in selector.split(",")}
    return {phase for phase in Phase if phase not in excluded}


def test_each_job_is_either_unfinished_or_ended() -> None:
    assert selected(UNFINISHED_JOBS) == set(Phase) - TERMINAL
    assert selected(ENDED_JOBS) == TERMINAL


def test_the_unfinished_jobs_of_a_daemon_are_those_assigned_to_it() -> None:
    assignment, _, rest = unfinished_jobs_of("d1").partition(",")
    assert assignment == "status.assignment.daemon=d1"
    assert rest == UNFINISHED_JOBS
