"""Rows of ended jobs, packed: a hundred and fifty bytes instead of a thousand.

What many jobs have in common is kept once (`shared_values`); a row has the numbers of that and what is its own. Most jobs
of a cluster have ended, and are looked at a page at a time: unpacking a row takes some microseconds.
"""

import marshal
from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any

from provisioner_operator.core.model.records import Assignment, Condition, Job
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.index.shared_values import SharedValues

_COMMON = (
    ("job.workspace", "job.workspace_owner", "job.builds_workspace", "job.initiator", "workspace_uid"),
    (
        "job.namespace",
        "job.type",
        "job.demand",
        "job.transition",
        "job.priority",
        "job.pending_timeout",
        "job.active_deadline",
        "job.stall_timeout",
        "job.ttl",
        "job.template",
        "job.labels",
        "job.background_reason",
        "job.keeps_plan",
        "template",
        "template_uid",
        "version",
        "owner_may_cancel",
    ),
    (
        "job.phase",
        "job.reason",
        "job.message",
        "job.cancel",
        "job.cancel_mode",
        "job.cancel_reason",
        "job.canceled_by",
        "job.deleting",
        "stage",
    ),
    ("job.assignment", "job.conditions"),
)
"""Fields that many jobs share, in groups whose values go together."""
_OWN = (
    "job.name",
    "job.resource_version",
    "job.generation",
    "job.observed_generation",
    "job.created",
    "job.started",
    "job.finished",
    "job.suspend",
    "job.suspended_at",
    "job.suspended_seconds",
    "job.plan_digest",
    "build_number",
    "retry_of",
)
"""Fields that each job has for itself, the name first: numbers and texts."""

FIELDS = (*(name for group in _COMMON for name in group), *_OWN)
"""All fields of a row that are packed, apart from the uid."""
_JOB_FIELDS = [(name.removeprefix("job."), at) for at, name in enumerate(FIELDS) if name.startswith("job.")]
_ROW_FIELDS = [(name, at) for at, name in enumerate(FIELDS) if not name.startswith("job.")]


def _who_ran(row: JobRow) -> tuple[Assignment | None, tuple[Condition, ...]]:
    """Return the last group's values, without what is of no interest after the end."""
    given = row.job.assignment
    return None if given is None else Assignment(given.daemon, given.daemon_uid, id="", time=0.0), ()


_common: tuple[Callable[[JobRow], tuple[Hashable, ...]], ...] = (
    *(attrgetter(*group) for group in _COMMON[:-1]),
    _who_ran,
)
_own = attrgetter(*_OWN)
_OWN_AT = len(_COMMON)


class RowPacker:
    """Packs and unpacks rows, and keeps what they share."""

    def __init__(self) -> None:
        self._shared: tuple[SharedValues[tuple[Hashable, ...]], ...] = tuple(SharedValues() for _ in _COMMON)

    @property
    def size(self) -> int:
        """Number of values that are shared at present."""
        return sum(map(len, self._shared))

    def pack(self, row: JobRow) -> bytes:
        """Pack a row, apart from its uid. What it shares is kept until `release`."""
        numbers = [shared.take(values(row)) for shared, values in zip(self._shared, _common, strict=True)]
        # Copied, since the dumped object keeps the room that it was written in.
        return bytes(memoryview(marshal.dumps((*numbers, *_own(row)))))

    def unpack(self, packed: bytes, uid: str) -> JobRow:
        """Return the row of this uid that was packed."""
        parts = _parts(packed)
        values: list[object] = []
        for shared, number in zip(self._shared, parts, strict=False):
            values += shared.get(number)
        values += parts[_OWN_AT:]
        fields = {name: values[at] for name, at in _JOB_FIELDS}
        job = Job(uid=uid, **fields)  # type: ignore[arg-type] # as they were packed
        return JobRow(job=job, **{name: values[at] for name, at in _ROW_FIELDS})  # type: ignore[arg-type]

    def release(self, packed: bytes) -> None:
        """Let go of what a packed row shares with others."""
        for shared, number in zip(self._shared, _parts(packed), strict=False):
            shared.drop(number)


def name_of(packed: bytes) -> str:
    """Return the name of a packed row."""
    name: str = _parts(packed)[_OWN_AT]
    return name


def _parts(packed: bytes) -> tuple[Any, ...]:
    parts: tuple[Any, ...] = marshal.loads(packed)  # noqa: S302 - this module wrote it
    return parts
