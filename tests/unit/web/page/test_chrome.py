"""The frame of a page: its menu of organizations, which takes a review for each namespace."""

import asyncio
from typing import TYPE_CHECKING, cast

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.access.answer_cache import YES_SECONDS
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page.chrome import frame_of
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams
from support.coder.api_world import KnownUsers, an_index
from support.virtual_time import now, virtual_time

if TYPE_CHECKING:
    from provisioner_operator.kube.client import KubeClient

REVIEW_SECONDS = 2.0


@virtual_time
async def test_who_comes_again_in_time_never_waits_for_the_menu() -> None:
    index = an_index()
    visible = {"acme"}

    def clock() -> Instant:
        return Instant(now(), now())

    async def review(question: Question) -> bool:
        await asyncio.sleep(REVIEW_SECONDS)
        return question.namespace in visible

    context = WebContext(index, KnownUsers(index, {}), Settings(), clock, Streams(clock))
    caller = Caller(User("sam"), cast("KubeClient", None), None, "sam", review, lambda: index.namespaces)
    assert (await frame_of(context, caller, "Jobs")).orgs == ["acme"]

    visible.update(index.namespaces)
    await asyncio.sleep(0.8 * YES_SECONDS)
    began = now()
    assert (await frame_of(context, caller, "Jobs")).orgs == ["acme"]
    assert now() == began
    await asyncio.sleep(5 * REVIEW_SECONDS)
    assert (await frame_of(context, caller, "Jobs")).orgs == sorted(index.namespaces)
    assert now() == began + 5 * REVIEW_SECONDS
