"""Rights to a followed log: it is read by one open request, which the API server judges only when it begins."""

from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.names import JOBS, log_archive_name
from provisioner_operator.web.access.caller import Caller, Question
from provisioner_operator.web.actions.target import Target
from provisioner_operator.web.index.cluster_index import ClusterIndex


@dataclass(slots=True)
class LogRights:
    """The rights of a user to a log, for the time of a stream."""

    caller: Caller
    index: ClusterIndex
    job: Target
    _held: set[str] = field(default_factory=set)
    """Resources that hold the log and that the user could read so far."""

    async def lasting(self) -> bool:
        """Return whether the user may still see the job and read the log wherever it could be read. Raises KubeError.

        Whoever could never read it is told so in its place, and may wait for the end of the job.
        """
        if not await self.caller.may("get", JOBS, self.job.namespace, self.job.name):
            return False
        readable = {each.resource for each in self._questions() if await self.caller.review(each)}
        if self._held - readable:
            return False
        self._held = readable
        return True

    def _questions(self) -> list[Question]:
        row = self.index.jobs.get(self.job.uid)
        assignment = None if row is None else row.job.assignment
        pod = "" if assignment is None else assignment.daemon
        return [
            Question("get", "pods", self.job.namespace, pod, "log", group=""),
            Question("get", "configmaps", self.job.namespace, log_archive_name(self.job.name), group=""),
        ]
