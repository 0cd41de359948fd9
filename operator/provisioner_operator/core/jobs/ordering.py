"""Order jobs: higher priority first, then oldest.

The API server's creation time has whole seconds, so jobs created within one second are ordered by name, in natural
order: `dev-9` before `dev-10`, as a workspace numbers its builds.
"""

import re

from provisioner_operator.core.model.records import Job

_DIGITS = re.compile(r"(\d+)")

NaturalName = tuple[tuple[int, str], ...]
CreationKey = tuple[float, NaturalName]
QueueKey = tuple[int, float, NaturalName]


def natural(name: str) -> NaturalName:
    """Return a sort key under which numbers within names compare as numbers."""
    parts = _DIGITS.split(name)
    return tuple((int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts))


def queue_key(job: Job) -> QueueKey:
    """Return the sort key of a job among those that wait for a daemon; the smallest goes first."""
    return (-job.priority, job.created, natural(job.name))


def creation_key(job: Job) -> CreationKey:
    """Return the sort key of a job among those of its workspace: order of creation, whatever the priority."""
    return (job.created, natural(job.name))
