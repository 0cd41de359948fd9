"""Ids of traces and spans, and their form in W3C Trace Context (`traceparent`).

All ids of a job are hashes of its uid. So whoever describes the same job, a second time or in another process, gives each
span the same id, and the daemon can name the span of a stage to the stage's programs before that span exists.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 0x01
_INVALID_VERSION = "ff"
_FIRST_VERSION = "00"
"""The only version so far: exactly four parts. Later ones may have more."""
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span by its ids, and whether its trace is recorded at all."""

    trace_id: int
    span_id: int
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The span as a `traceparent`."""
        flags = _SAMPLED if self.sampled else 0
        return f"{_FIRST_VERSION}-{self.trace_id:032x}-{self.span_id:016x}-{flags:02x}"


def parse_traceparent(text: str) -> TraceContext | None:
    """Parse a `traceparent`; None if it is not valid, and then a trace of its own begins, as the standard wants it."""
    match = _TRACEPARENT.fullmatch(text)
    if match is None:
        return None
    version, trace, span, flags, more = match.groups()
    context = TraceContext(int(trace, 16), int(span, 16), bool(int(flags, 16) & _SAMPLED))
    is_valid = version != _INVALID_VERSION and (version != _FIRST_VERSION or more is None)
    return context if is_valid and context.trace_id and context.span_id else None


def job_context(uid: str, parent: TraceContext | None) -> TraceContext:
    """Return the root span of a job: in its parent's trace, else in a trace of its own."""
    if parent is None:
        return TraceContext(_hashed(f"{uid}/trace", _TRACE_ID_BYTES), _hashed(f"{uid}/job", _SPAN_ID_BYTES))
    return TraceContext(parent.trace_id, _hashed(f"{uid}/job", _SPAN_ID_BYTES), parent.sampled)


def stage_context(uid: str, parent: TraceContext | None, stage: str) -> TraceContext:
    """Return the span of a job's stage."""
    job = job_context(uid, parent)
    return TraceContext(job.trace_id, _hashed(f"{uid}/stage/{stage}", _SPAN_ID_BYTES), job.sampled)


def _hashed(text: str, size: int) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:size])
