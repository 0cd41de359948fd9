"""Ids of traces, and their form in W3C Trace Context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.tracing.context import TraceContext, job_context, parse_traceparent, stage_context

contexts = st.builds(TraceContext, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())


@given(contexts)
def test_what_is_written_is_read_again(context: TraceContext) -> None:
    assert parse_traceparent(context.traceparent) == context


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    assert parse_traceparent(text) is None or text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
    ],
)
def test_what_is_not_valid_is_refused(text: str) -> None:
    assert parse_traceparent(text) is None


def test_a_later_version_may_have_more() -> None:
    context = parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-more")
    assert context == TraceContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)


@given(st.uuids(), st.uuids(), st.none() | contexts)
def test_the_ids_of_a_job_are_its_own_and_always_the_same(one: object, other: object, parent: TraceContext) -> None:
    def ids(uid: object) -> list[TraceContext]:
        steps = [stage_context(str(uid), parent, stage) for stage in ("queue", "init", "plan", "apply")]
        return [job_context(str(uid), parent), *steps]

    assert ids(one) == ids(one)
    assert len({each.span_id for each in ids(one)}) == len(ids(one))
    assert len({each.trace_id for each in ids(one)}) == 1
    assert all(each.trace_id and each.span_id for each in ids(one))
    if one != other:
        assert {each.span_id for each in ids(one)}.isdisjoint(each.span_id for each in ids(other))


@given(st.uuids(), contexts)
def test_a_job_belongs_to_the_trace_of_its_parent(uid: object, parent: TraceContext) -> None:
    job = job_context(str(uid), parent)
    assert (job.trace_id, job.sampled) == (parent.trace_id, parent.sampled)
