from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.daemon.execution.line_splitter import LineSplitter


@given(st.lists(st.text(st.characters(exclude_characters="\n")), min_size=1), st.lists(st.integers(0, 400)))
def test_lines_do_not_depend_on_how_they_arrive(lines: list[str], cuts: list[int]) -> None:
    data = "\n".join(lines).encode(errors="replace")
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    splitter = LineSplitter()
    found = [line for begin, end in pairwise(edges) for line in splitter.feed(data[begin:end])]
    found += splitter.rest()
    expected = data.decode().split("\n")
    assert found == (expected if expected[-1] else expected[:-1])


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert LineSplitter().feed(b"caf\xe9\n") == ["caf\N{REPLACEMENT CHARACTER}"]


def test_a_line_without_end_is_given_in_pieces() -> None:
    splitter = LineSplitter(longest=10)
    assert splitter.feed(b"x" * 8) == []
    assert splitter.feed(b"x" * 8) == ["x" * 16]
    assert splitter.rest() == []


def test_a_line_may_be_as_long_as_the_one_before() -> None:
    splitter = LineSplitter(longest=10)
    assert splitter.feed(b"first\n") == ["first"]
    assert splitter.feed(b"x" * 10) == []
    assert splitter.feed(b"x") == ["x" * 11]
