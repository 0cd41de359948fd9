"""The mutants of a file: one for each change that means something, and none where a change means nothing."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from mutation.mutants import Kind
from mutation.scan import mutants_of


def changed(source: str) -> list[tuple[Kind, str]]:
    """Each mutant's kind, and the source with its change."""
    encoded = dedent(source).encode()
    return [(mutant.kind, mutant.apply(encoded).decode().strip()) for mutant in mutants_of("core/x.py", encoded)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a == b", [(Kind.COMPARE, "x = (a != b)")]),
        ("x = a is None", [(Kind.COMPARE, "x = (a is not None)")]),
        ("x = a in b", [(Kind.COMPARE, "x = (a not in b)")]),
        ("x = a < b", [(Kind.COMPARE, "x = (a >= b)"), (Kind.BOUNDARY, "x = (a <= b)")]),
        ("x = not a", [(Kind.NEGATE, "x = a")]),
        ("x = a and b", [(Kind.LOGIC, "x = (a or b)")]),
        ("x = a or b or c", [(Kind.LOGIC, "x = (a and b and c)")]),
        ("x = 15", [(Kind.CONSTANT, "x = 30")]),
        ("x = 0", [(Kind.CONSTANT, "x = 1")]),
        ("x = 1.5", [(Kind.CONSTANT, "x = 3.0")]),
        ("x = True", [(Kind.BOOLEAN, "x = False")]),
        ("x = a + b", [(Kind.ARITHMETIC, "x = (a - b)")]),
        ("x = -a", [(Kind.ARITHMETIC, "x = a")]),
        ("x = a | b", [(Kind.ARITHMETIC, "x = (a & b)")]),
        ("x += a", [(Kind.DROP, "pass"), (Kind.ARITHMETIC, "x -= a")]),
        ("f(a)", [(Kind.DROP, "pass")]),
        ("a.b = c", [(Kind.DROP, "pass")]),
        ("del a[b]", [(Kind.DROP, "pass")]),
        ("x = a if b else c", [(Kind.NEGATE, "x = a if (not b) else c")]),
        ("x = [a for a in b if c]", [(Kind.NEGATE, "x = [a for a in b if (not c)]")]),
        ("while a:\n    break", [(Kind.NEGATE, "while (not a):\n    break"), (Kind.DROP, "while a:\n    pass")]),
        ("if a: raise E", [(Kind.NEGATE, "if (not a): raise E"), (Kind.DROP, "if a: pass")]),
        ("def f(): return a", [(Kind.RETURN, "def f(): return None")]),
        ("def f(a=1): g()", [(Kind.CONSTANT, "def f(a=2): g()"), (Kind.DROP, "def f(a=1): pass")]),
    ],
)
def test_each_kind_of_change(source: str, expected: list[tuple[Kind, str]]) -> None:
    assert changed(source) == expected


def test_a_guard_of_a_case_is_negated_and_its_pattern_left_alone() -> None:
    source = "match a:\n    case 1 if b: c = d"

    assert changed(source) == [(Kind.NEGATE, "match a:\n    case 1 if (not b): c = d")]


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring with 3 words and not one more."""',
        "x: Literal[1] = a",
        "def f(a: Literal[1]) -> Literal[True]: ...",
        "Decision = Assign | TimeOut | None",
        "@dataclass(frozen=True)\nclass A(B[1]): ...",
        "if TYPE_CHECKING:\n    x = 1",
        'if __name__ == "__main__":\n    main()',
        "def __repr__(self): return a + b",
        'logger.warning("%d", 1)',
        '_logger.warning("%d", 1)',
        'x = f"{a + 1} of {b if c else 2}"',
        'x = "a" + b',
        'x = folder / "name"',
        "from a import b",
        "x = zip(a, b, strict=True)",
        "def f(): return None",
        "def f(): return ()",
        "class A:\n    def __init__(self): self.a = b",
    ],
)
def test_nothing_is_changed_where_it_would_mean_nothing(source: str) -> None:
    assert changed(source) == []


def test_the_text_of_an_error_is_left_alone_and_its_raising_dropped() -> None:
    assert changed("raise Failure(a + 1)") == [(Kind.DROP, "pass")]


def test_a_condition_is_changed_in_one_way_only_once() -> None:
    assert [kind for kind, _ in changed("if a == b: c = d")] == [Kind.COMPARE]
    assert [kind for kind, _ in changed("if not a: c = d")] == [Kind.NEGATE]
    assert [kind for kind, _ in changed("while True: c = d")] == [Kind.BOOLEAN]


def test_positions_are_right_after_letters_of_several_bytes() -> None:
    assert changed('f = "äöü€", 1') == [(Kind.CONSTANT, 'f = "äöü€", 2')]


def test_two_mutants_of_a_kind_in_a_line_have_two_names() -> None:
    names = [mutant.name for mutant in mutants_of("core/x.py", b"\nx = a == b, c == d")]

    assert names == ["core/x.py:2:compare", "core/x.py:2:compare:2"]


def test_a_statement_is_known_by_its_lines_and_a_block_by_its_head() -> None:
    source = b"x = (\n    1,\n)\nif (a\n        and b):\n    f()\n"

    assert [mutant.statement for mutant in mutants_of("core/x.py", source)] == [(1, 3), (4, 5), (4, 5), (6, 6)]


def test_every_mutant_of_this_file_is_valid_and_different() -> None:
    source = Path(__file__).read_bytes()
    mutants = list(mutants_of("core/x.py", source))

    assert len(mutants) > 10
    assert all(ast.dump(ast.parse(each.apply(source))) != ast.dump(ast.parse(source)) for each in mutants)
