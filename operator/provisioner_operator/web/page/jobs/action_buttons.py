"""Buttons that suspend, resume and retry a job: those that make sense now, grey where a right is missing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.web.page import paths
from provisioner_operator.web.page.jobs.detail import JobDetail
from provisioner_operator.web.page.jobs.rights import JobRights, retry_denial, suspend_denial


@dataclass(frozen=True, slots=True)
class ActionButton:
    """One button of a job's page."""

    action: str
    icon: str
    href: str
    denial: str
    """Reason why it does nothing; empty if it leads to the form."""


def action_buttons(job: JobDetail, spec: Mapping[str, Any], rights: JobRights) -> tuple[ActionButton, ...]:
    """Return the buttons of a job, given its spec as it is stored."""
    found = []
    if job.can_be_suspended:
        action, icon = ("resume", "play") if job.is_suspended else ("suspend", "pause")
        found.append((action, icon, suspend_denial(spec, rights, action)))
    if job.has_ended:
        found.append(("retry", "retry", retry_denial(job.name, spec, rights)))
    return tuple(
        ActionButton(action, icon, paths.job_action(job.org, job.name, action), denial)
        for action, icon, denial in found
    )
