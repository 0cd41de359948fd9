"""Assemble the lines of a stream from its parts, in bounded memory. Called by the client; knows nothing of HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator


async def lines_of(parts: AsyncIterator[bytes], longest: int) -> AsyncGenerator[bytes, None]:
    """Yield each line without its end, cut to `longest` bytes; the last one may have no end."""
    line = bytearray()
    async for part in parts:
        *ends, rest = part.split(b"\n")
        for end in ends:
            line += end[: longest - len(line)]
            yield bytes(line)
            line.clear()
        # Cut at once: a line without an end must not grow in memory.
        line += rest[: longest - len(line)]
    if line:
        yield bytes(line)
