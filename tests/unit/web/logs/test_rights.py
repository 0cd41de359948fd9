"""Rights to a followed log, as they come and go while it is followed."""

from typing import TYPE_CHECKING, cast

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.logs.rights import LogRights
from support.coder.api_world import a_build_job, an_index, ran, uid
from support.virtual_time import virtual_time

if TYPE_CHECKING:
    from provisioner_operator.kube.client import KubeClient


class Followed:
    """A log that ada follows, with the rights to the resources of `allowed`."""

    def __init__(self, name: str, *allowed: str) -> None:
        self.index = an_index()
        self.allowed = {JOBS, *allowed}
        self.asked: list[Question] = []
        row = self.index.jobs.get(uid(JOBS, name))
        assert row is not None
        caller = Caller(User("ada"), cast("KubeClient", None), None, "ada", self._review, list)
        self.rights = LogRights(caller, self.index, row.job)

    async def _review(self, question: Question) -> bool:
        self.asked.append(question)
        return question.resource in self.allowed


@virtual_time
async def test_whoever_may_not_read_a_log_waits_for_the_end_of_the_job() -> None:
    followed = Followed("dev-2")
    assert await followed.rights.lasting()
    assert await followed.rights.lasting()
    followed.allowed.clear()
    assert not await followed.rights.lasting()


@virtual_time
async def test_a_right_that_is_granted_later_may_be_withdrawn_as_well() -> None:
    followed = Followed("dev-2")
    assert await followed.rights.lasting()
    followed.allowed.add("configmaps")
    assert await followed.rights.lasting()
    followed.allowed.discard("configmaps")
    assert not await followed.rights.lasting()


@virtual_time
async def test_the_pod_is_that_to_which_the_job_is_assigned() -> None:
    followed = Followed("waiting-1", "pods")
    assert await followed.rights.lasting()
    assert followed.asked[1] == Question("get", "pods", "acme", "", "log", group="")
    running = a_build_job(1, workspace="waiting", **ran("Running"), metadata={"resourceVersion": "9"})
    followed.index.apply(JOBS, "MODIFIED", running)
    assert await followed.rights.lasting()
    assert Question("get", "pods", "acme", "busy", "log", group="") in followed.asked
    followed.allowed.discard("pods")
    assert not await followed.rights.lasting()
