"""Order the waiting jobs of a namespace as they are going to start, for places in a queue and estimates. Pure.

The queue itself knows only the first: each job that starts changes the share of its group. Here, the n-th job of a group counts as
if the n - 1 before it ran already. Jobs that a limit holds up now come last.
"""

from collections.abc import Iterable

from provisioner_operator.core.jobs.ordering import creation_key, queue_key
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY
from provisioner_operator.core.scheduling.queueing.shares import HeadKey, head_key


def in_order(queue: NamespaceQueue | None, jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs in the order in which they would start if no run ended; `queue` is that of their namespace."""
    if queue is None or queue.policy == NO_POLICY:
        return sorted(jobs, key=queue_key)
    groups: dict[str, list[tuple[tuple[bool, int, bool, tuple[float, str]], Job]]] = {}
    for job in jobs:
        own = (queue.limit_of(job) is not None, -job.priority, queue.policy.is_background(job), creation_key(job))
        groups.setdefault(queue.policy.group_of(job), []).append((own, job))
    keyed: list[tuple[bool, HeadKey, str, Job]] = []
    for group, members in groups.items():
        members.sort(key=lambda each: (each[0], each[1].uid))
        for number, ((held, priority, background, age), job) in enumerate(members):
            key = head_key(-priority, queue.share_of(group, more=number), age, background=background)
            keyed.append((held, key, job.uid, job))
    return [job for *_, job in sorted(keyed, key=lambda each: each[:3])]
