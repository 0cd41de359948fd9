"""Count the slots that each group and each limit uses: one for every job that is assigned or runs. Pure."""

from collections.abc import Iterator, Sequence

from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.policy import LimitKey, QueuePolicy


class UsedSlots:
    """Jobs that are assigned or run, by group and by limit."""

    def __init__(self, policy: QueuePolicy) -> None:
        self._policy = policy
        self._jobs: dict[str, tuple[Job, str, tuple[LimitKey, ...]]] = {}
        self._groups: dict[str, int] = {}
        self._limits: dict[LimitKey, dict[str, None]] = {}
        """Uids of the jobs that count for each limit, in the order in which they were assigned."""

    def __len__(self) -> int:
        return len(self._jobs)

    def jobs(self) -> Iterator[Job]:
        """Iterate over the jobs that use a slot."""
        return (job for job, _, _ in self._jobs.values())

    def of_group(self, group: str) -> int:
        """Count the slots that the group uses."""
        return self._groups.get(group, 0)

    def groups(self) -> list[str]:
        """Return the groups that use a slot."""
        return list(self._groups)

    def limits(self) -> list[LimitKey]:
        """Return the limits for which any job counts."""
        return list(self._limits)

    def under(self, limit: LimitKey) -> list[Job]:
        """Return the jobs that count for the limit."""
        return [self._jobs[uid][0] for uid in self._limits.get(limit, ())]

    def room(self, limit: LimitKey) -> int:
        """Return the number of further jobs that the limit lets run."""
        return max(0, self._policy.most(limit) - len(self._limits.get(limit, ())))

    def take(self, job: Job) -> tuple[Sequence[str], Sequence[LimitKey]]:
        """Count a slot of the job; return the groups and limits that it counted for until now, and does not any more."""
        group, limits = self._policy.group_of(job), self._policy.limits_of(job)
        known = self._jobs.get(job.uid)
        if known is not None and known[1] == group and known[2] == limits:
            self._jobs[job.uid] = (job, group, limits)
            return (), ()
        groups, left = self.free(job.uid)
        self._jobs[job.uid] = (job, group, limits)
        self._groups[group] = self._groups.get(group, 0) + 1
        for limit in limits:
            self._limits.setdefault(limit, {})[job.uid] = None
        return [each for each in groups if each != group], [each for each in left if each not in limits]

    def free(self, uid: str) -> tuple[Sequence[str], Sequence[LimitKey]]:
        """Count no slot of the job any more; return the groups and limits for which it counted."""
        known = self._jobs.pop(uid, None)
        if known is None:
            return (), ()
        _, group, limits = known
        self._groups[group] -= 1
        if not self._groups[group]:
            del self._groups[group]
        for limit in limits:
            del self._limits[limit][uid]
            if not self._limits[limit]:
                del self._limits[limit]
        return (group,), limits
