"""The format of server-sent events (HTML Living Standard, section 9.2)."""

EVENT_STREAM = "text/event-stream"
RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a client connects again."""
PING = b": ping\n\n"
"""Comment that keeps proxies from closing the stream."""
PING_SECONDS = 15.0
"""Time without an event after which one is sent."""


def event_bytes(name: str, text: str, identifier: str = "") -> bytes:
    """Return an event as the stream has it."""
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"event: {name}\n{f'id: {identifier}' + chr(10) if identifier else ''}{lines}\n".encode()
