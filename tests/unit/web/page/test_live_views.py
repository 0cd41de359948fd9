"""Renderings that many readers share, and the times at which views are rendered."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

from markupsafe import Markup

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.index.cluster_index import NAMESPACES, ClusterIndex
from provisioner_operator.web.page.live_views import (
    REFRESH_SECONDS,
    TICK_SECONDS,
    At,
    LiveViews,
    Rendering,
    Row,
    Rows,
    View,
    ViewClock,
)
from support.coder.api_world import a_namespace
from support.virtual_time import now, virtual_time, work


def an_index() -> ClusterIndex:
    index = ClusterIndex(lambda: Instant(1_000_000 + now(), now()))
    index.complete()
    return index


def change(index: ClusterIndex) -> None:
    index.apply(NAMESPACES, "ADDED", a_namespace(f"team-{index.version}"))


def a_rendering(**rows: str) -> Rendering:
    return Rendering({key: Row(Markup(f"<tr data-key={key}>{text}</tr>")) for key, text in rows.items()}, shell)


def shell(rows: Sequence[Markup]) -> Markup:
    return Markup().join(rows)


async def permitted() -> bool:
    return True


def a_view(rendering: Rendering, key: str = "view", user: str = "") -> View:
    return View(key, lambda: rendering, permitted, user)


def counting(rendering: Rendering, key: str = "view") -> tuple[View, list[None]]:
    calls: list[None] = []

    def make() -> Rendering:
        calls.append(None)
        return rendering

    return View(key, make, permitted), calls


def text_of(event: bytes | None) -> str:
    assert event is not None
    return "".join(line.removeprefix("data: ") for line in event.decode().splitlines() if line.startswith("data: "))


@virtual_time
async def test_a_view_is_rendered_once_for_all_its_readers() -> None:
    views, (view, calls) = LiveViews(an_index()), counting(a_rendering(a="1"))
    first = await views.event(view, (1, 0), "")
    assert await views.event(view, (1, 0), "") == first
    assert await views.event(view, (0, 0), "") == first, "a reader who comes late gets what is newer"
    assert len(calls) == 1
    other, other_calls = counting(a_rendering(a="1"), "other")
    await views.event(other, (1, 0), "")
    await views.event(view, (2, 0), "")
    assert (len(calls), len(other_calls)) == (2, 1)


@virtual_time
async def test_readers_who_come_at_once_share_one_rendering() -> None:
    views, (view, calls) = LiveViews(an_index()), counting(a_rendering(a="1"))
    await asyncio.gather(*(views.event(view, (1, 0), "") for _ in range(20)))
    assert len(calls) == 1


@virtual_time
async def test_what_a_reader_has_seen_is_not_sent_again() -> None:
    views = LiveViews(an_index())
    digest, event = await views.event(a_view(a_rendering(a="1")), (1, 0), "")
    assert text_of(event) == "<tr data-key=a>1</tr>"
    assert await views.event(a_view(a_rendering(a="1")), (1, 0), digest) == (digest, None)
    assert await views.event(a_view(a_rendering(a="1")), (2, 0), digest) == (digest, None)


@virtual_time
async def test_a_reader_of_the_former_rendering_gets_only_changed_rows() -> None:
    views = LiveViews(an_index())
    seen, _ = await views.event(a_view(a_rendering(a="1", b="1")), (1, 0), "")
    _, event = await views.event(a_view(a_rendering(a="1", b="2")), (2, 0), seen)
    assert text_of(event) == '<tr data-key="a" data-same></tr><tr data-key=b>2</tr>'


@virtual_time
async def test_of_a_row_whose_text_alone_changed_a_reader_gets_the_text() -> None:
    def placed(one: str, other: str) -> View:
        rows = {key: Row(Markup("<tr>"), text, Markup("</tr>")) for key, text in {"a": one, "b": other}.items()}
        return a_view(Rendering(rows, shell))

    views = LiveViews(an_index())
    seen, event = await views.event(placed("1/2", "2/2"), (1, 0), "")
    assert text_of(event) == "<tr>1/2</tr><tr>2/2</tr>"
    _, event = await views.event(placed("1/2", "<3>"), (2, 0), seen)
    assert text_of(event) == '<tr data-key="a" data-same></tr><tr data-key="b" data-same data-text="&lt;3&gt;"></tr>'


@virtual_time
async def test_a_reader_of_an_older_rendering_gets_everything() -> None:
    views = LiveViews(an_index())
    seen, _ = await views.event(a_view(a_rendering(a="1", b="1")), (1, 0), "")
    await views.event(a_view(a_rendering(a="1", b="2")), (2, 0), seen)
    _, event = await views.event(a_view(a_rendering(a="1", b="3")), (3, 0), seen)
    assert text_of(event) == "<tr data-key=a>1</tr><tr data-key=b>3</tr>"


@virtual_time
async def test_owners_alone_see_their_rows_otherwise() -> None:
    def own_rows(user: str) -> Rows:
        return {"a": Row(Markup(f"<tr>of {user}</tr>"))}

    rendering = Rendering({"a": Row(Markup("<tr>1</tr>")), "b": Row(Markup("<tr>2</tr>"))}, shell, {"sam"}, own_rows)
    views = LiveViews(an_index())
    seen, event = await views.event(a_view(rendering, user="ada"), (1, 0), "")
    assert text_of(event) == "<tr>1</tr><tr>2</tr>"
    own, event = await views.event(a_view(rendering, user="sam"), (1, 0), "")
    assert text_of(event) == "<tr>of sam</tr><tr>2</tr>"
    assert await views.event(a_view(rendering, user="ada"), (2, 0), seen) == (seen, None)
    assert await views.event(a_view(rendering, user="sam"), (2, 0), own) == (own, None)
    _, event = await views.event(a_view(a_rendering(a="1"), user="sam"), (3, 0), own)
    assert text_of(event) == "<tr data-key=a>1</tr>", "an owner no more"


@virtual_time
async def test_a_view_is_forgotten_with_its_last_reader() -> None:
    views, (view, calls) = LiveViews(an_index()), counting(a_rendering(a="1"))
    with views.reading(view) as clock:
        with views.reading(view) as other:
            assert other is clock
            await views.event(view, (1, 0), "")
        await views.event(view, (1, 0), "")
        assert len(calls) == 1
    await views.event(view, (1, 0), "")
    assert len(calls) == 2


@virtual_time
async def test_what_an_owner_sees_is_forgotten_with_that_reader() -> None:
    calls: list[str] = []

    def own_rows(user: str) -> Rows:
        calls.append(user)
        return {"a": Row(Markup("<tr>2</tr>"))}

    rendering = Rendering({"a": Row(Markup("<tr>1</tr>"))}, shell, {"sam"}, own_rows)
    views, of_sam = LiveViews(an_index()), a_view(rendering, user="sam")
    with views.reading(a_view(rendering, user="ada")):
        for _ in range(2):
            with views.reading(of_sam):
                await views.event(of_sam, (1, 0), "")
                await views.event(of_sam, (1, 0), "")
    assert calls == ["sam", "sam"]


@virtual_time
async def test_the_oldest_renderings_beyond_the_memory_for_all_are_forgotten() -> None:
    views = LiveViews(an_index(), most_bytes=50_000)
    rendering = a_rendering(a="x" * 4_000)
    counted = [counting(rendering, str(number)) for number in range(20)]
    for view, _ in [*counted, counted[19]]:
        await views.event(view, (1, 0), "")
    assert [len(calls) for _, calls in counted] == [1] * 20
    await views.event(counted[0][0], (1, 0), "")
    assert len(counted[0][1]) == 2


@virtual_time
async def test_a_view_that_alone_exceeds_the_memory_is_kept_and_counted_once() -> None:
    views, (view, calls) = LiveViews(an_index(), most_bytes=1_000), counting(a_rendering(a="x" * 4_000))
    for version in range(3):
        await views.event(view, (version, 0), "")
    assert len(calls) == 3
    await views.event(view, (2, 0), "")
    assert len(calls) == 3


@virtual_time
async def test_renderings_leave_half_of_the_time_to_others() -> None:
    """However many views are due, a request is answered after one of them."""
    views = LiveViews(an_index())
    busy: list[tuple[float, float]] = []

    def slow() -> Rendering:
        began = now()
        work(0.05)
        busy.append((began, now()))
        return a_rendering(a="1")

    await asyncio.gather(*(views.event(View(key, slow, permitted), (1, 0), "") for key in range(10)))

    assert len(busy) == 10
    for (began, ended), (following, _) in pairwise(busy):
        assert following - ended >= ended - began - 1e-6


@virtual_time
async def test_readers_get_only_what_changed_however_long_renderings_wait_for_their_turn() -> None:
    index = an_index()
    views = LiveViews(index)

    def make() -> Rendering:
        work(0.1)
        return a_rendering(a="1", b=str(index.version))

    async def read(number: int) -> list[str]:
        await asyncio.sleep(0.15 * number)
        view, seen, events = View(number % 9, make, permitted), "", []
        with suppress(TimeoutError), views.reading(view) as clock:
            async with asyncio.timeout(60.0 - now()):
                async for at in clock.ticks():
                    seen, event = await views.event(view, at, seen)
                    events += [] if event is None else [text_of(event)]
        return events

    changing = asyncio.create_task(_at([(0.1 * number, lambda: change(index)) for number in range(1, 700)]))
    found = await asyncio.gather(*(read(number) for number in range(27)))
    changing.cancel()

    for first, *following in found:
        assert "data-same" not in first
        assert len(following) > 10
        assert all("data-same" in each for each in following)


async def _ticks(clock: ViewClock, until: float) -> list[tuple[float, At]]:
    found: list[tuple[float, At]] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(until - now()):
            async for at in clock.ticks():
                found += [(now(), at)]
    return found


async def _at(moments: list[tuple[float, Callable[[], None]]]) -> None:
    for moment, act in moments:
        await asyncio.sleep(moment - now())
        act()


@virtual_time
async def test_a_view_is_due_after_changes_and_from_time_to_time_never_twice_in_a_tick() -> None:
    index = an_index()
    clock, first = ViewClock(index), index.version
    changing = asyncio.create_task(_at([(moment, lambda: change(index)) for moment in (3.2, 3.3, 3.9, 4.5)]))

    found = await _ticks(clock, 18.0)
    await changing

    assert [at for at, _ in found] == [0.0, 3.2, 3.2 + TICK_SECONDS, 5.2, 5.2 + REFRESH_SECONDS]
    assert [version - first for _, (version, _) in found] == [0, 1, 3, 4, 4]
    assert len({at for _, at in found}) == len(found), "each is another time"


@virtual_time
async def test_all_readers_of_a_view_have_the_same_times() -> None:
    index = an_index()
    clock = ViewClock(index)

    async def read_from(start: float) -> list[At]:
        await asyncio.sleep(start)
        return [at for _, at in await _ticks(clock, 20.0)]

    changing = asyncio.create_task(_at([(0.1 * number, lambda: change(index)) for number in range(1, 150)]))
    found = await asyncio.gather(*(read_from(start) for start in (0.0, 0.35, 0.5, 0.95)))
    await changing

    assert len({at for each in found for at in each}) == len(found[0])


@virtual_time
async def test_a_reader_gets_nothing_from_before_it_came() -> None:
    """Its page may be newer, and would go back in time."""
    index = an_index()
    clock = ViewClock(index)
    others = asyncio.create_task(_ticks(clock, 5.0))
    await asyncio.sleep(0.4)
    change(index)
    present = index.version

    found = await _ticks(clock, 5.0)
    await others

    assert found[0] == (TICK_SECONDS, (present, found[0][1][1]))


@virtual_time
async def test_while_everything_is_listed_anew_nothing_is_rendered() -> None:
    index = an_index()
    index.start_over()
    clock = ViewClock(index)
    changing = asyncio.create_task(
        _at([(2.0, lambda: change(index)), (6.0, index.complete), (6.1, lambda: change(index))])
    )

    found = await _ticks(clock, 9.0)
    await changing

    assert found[0][0] == 6.0
