"""A packed row loses nothing, and what rows share goes with the last of them."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import CancelMode, JobType, Phase, Provisioner, Transition
from provisioner_operator.core.model.matching import Demand, effective_tags
from provisioner_operator.core.model.records import Assignment, Job
from provisioner_operator.web.index import packed_rows
from provisioner_operator.web.index.packed_rows import RowPacker, name_of
from provisioner_operator.web.index.rows import JobRow

TEXTS = st.none() | st.text(max_size=5)
TIMES = st.none() | st.floats(0, 4e9)
UIDS = st.uuids().map(str) | st.text(max_size=40) | st.uuids().map(lambda uid: str(uid).upper())
ROWS = st.builds(
    JobRow,
    job=st.builds(
        Job,
        namespace=st.text(max_size=5),
        uid=UIDS,
        created=st.floats(0, 4e9),
        resource_version=st.integers(0, 2**63),
        type=st.sampled_from(JobType),
        demand=st.builds(
            Demand, st.text(max_size=3), st.sampled_from(Provisioner), st.just(effective_tags({"a": "b"}))
        ),
        transition=st.none() | st.sampled_from(Transition),
        workspace=TEXTS,
        initiator=TEXTS,
        cancel=st.booleans(),
        cancel_mode=st.sampled_from(CancelMode),
        phase=st.sampled_from(Phase),
        message=TEXTS,
        assignment=st.none()
        | st.builds(Assignment, st.text(max_size=3), st.text(max_size=3), st.just(""), st.just(0.0)),
        started=TIMES,
        finished=TIMES,
        conditions=st.just(()),
    ),
    template=TEXTS,
    build_number=st.none() | st.integers(1, 10**6),
    retry_of=TEXTS,
)


@given(st.lists(ROWS, max_size=4))
def test_a_row_is_unpacked_as_it_was(rows: list[JobRow]) -> None:
    packer = RowPacker()
    packed = [packer.pack(row) for row in rows]

    assert [packer.unpack(each, row.job.uid) for each, row in zip(packed, rows, strict=True)] == rows
    assert [name_of(each) for each in packed] == [row.job.name for row in rows]


@given(st.lists(ROWS, min_size=2, max_size=4))
def test_nothing_is_kept_of_rows_that_are_gone(rows: list[JobRow]) -> None:
    packer = RowPacker()
    packed = [packer.pack(row) for row in rows]
    for each in packed[1:]:
        packer.release(each)
    assert packer.unpack(packed[0], rows[0].job.uid) == rows[0]

    packer.release(packed[0])
    assert packer.size == 0
    with pytest.raises(LookupError):
        packer.unpack(packed[0], rows[0].job.uid)


def test_every_field_is_packed() -> None:
    # A field that is added to a record and not to this table would be lost.
    expected = {f"job.{field.name}" for field in fields(Job)} | {field.name for field in fields(JobRow)}
    assert set(packed_rows.FIELDS) == expected - {"job", "job.uid"}
