"""Order jobs: higher priority first, then oldest.

The API server's creation time has whole seconds, so jobs created within one second are ordered by name, in natural
order: `dev-9` before `dev-10`, as a workspace numbers its builds.
"""

import re

from provisioner_operator.core.model.records import Job

_NUMBER = re.compile("[0-9]+")

CreationKey = tuple[float, str]
QueueKey = tuple[int, float, str]


def natural(name: str) -> str:
    """Return a sort key under which numbers within names compare as numbers."""
    return _NUMBER.sub(_sortable, name)


def _sortable(number: re.Match[str]) -> str:
    """Put the number of digits before them, and before that what sorts before everything else."""
    digits = number[0].lstrip("0")
    return f"\0{chr(len(digits))}{digits}"


def queue_key(job: Job) -> QueueKey:
    """Return the sort key of a job among those that wait for a daemon; the smallest goes first."""
    return (-job.priority, job.created, natural(job.name))


def creation_key(job: Job) -> CreationKey:
    """Return the sort key of a job among those of its workspace: order of creation, whatever the priority."""
    return (job.created, natural(job.name))
