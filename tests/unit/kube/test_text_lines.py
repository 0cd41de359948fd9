"""Lines are the same however the network cuts them into parts, and none is longer than the limit."""

import asyncio
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.kube.text_lines import lines_of

TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\xff"]), max_size=40).map(b"".join)


def assembled(parts: list[bytes], longest: int) -> list[bytes]:
    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def run() -> list[bytes]:
        return [line async for line in lines_of(stream(), longest)]

    return asyncio.run(run())


@given(st.lists(TEXT, max_size=6))
def test_the_parts_of_a_stream_do_not_matter(parts: list[bytes]) -> None:
    *lines, rest = b"".join(parts).split(b"\n")

    assert assembled(parts, 1_000) == [*lines, *([rest] if rest else [])]


@given(st.lists(TEXT, max_size=6), st.integers(1, 5))
def test_a_line_is_cut_to_the_limit_and_the_next_one_is_whole(parts: list[bytes], longest: int) -> None:
    assert assembled(parts, longest) == [line[:longest] for line in assembled(parts, 1_000)]
