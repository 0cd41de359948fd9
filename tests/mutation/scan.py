"""Find all mutants of a file, at the places where a change means something.

Skipped: annotations and unions of types, decorators, base classes, `if TYPE_CHECKING`, `__repr__`, logging, the texts of
messages (f-strings and what is raised), patterns, and a program's last two lines. Docstrings have no rule that fits them.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.kinds import changes
from mutation.mutants import Kind, Mutant

_LOGGERS = frozenset({"logger", "_logger", "logging"})
_CHECKS_ONLY = frozenset({"strict"})
"""Keyword arguments, of `zip`, that assert what is so anyway."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A node that may be mutated, and where it stands."""

    node: ast.AST
    statement: tuple[int, int]
    function: str


def package_mutants(root: Path, package: str) -> Iterator[Mutant]:
    """All mutants of one package below the folder `root`, in the order of its files."""
    for file in sorted((root / package).rglob("*.py")):
        yield from mutants_of(file.relative_to(root).as_posix(), file.read_bytes())


def mutants_of(path: str, source: bytes) -> Iterator[Mutant]:
    """All mutants of one file."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    ordinals: Counter[tuple[int, Kind]] = Counter()
    for place in _places(ast.parse(source), (1, 1), ""):
        for kind, old, new in changes(place.node):
            if kind is Kind.DROP and place.function == "__init__" and not isinstance(old, ast.Expr):
                continue  # an attribute that is missing altogether proves nothing about its value
            assert isinstance(old, ast.expr | ast.stmt)
            assert old.end_lineno is not None
            assert old.end_col_offset is not None
            ordinals[old.lineno, kind] += 1
            start = starts[old.lineno - 1] + old.col_offset
            end = starts[old.end_lineno - 1] + old.end_col_offset
            yield Mutant(path, old.lineno, kind, ordinals[old.lineno, kind], start, end, _text(new), place.statement)


def _places(node: ast.AST, statement: tuple[int, int], function: str) -> Iterator[_Place]:
    if _is_skipped(node):
        return
    if isinstance(node, ast.stmt):
        statement = _lines(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    yield _Place(node, statement, function)
    for child in _children(node):
        yield from _places(child, statement, function)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Raise():
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.args
            yield from node.body
        case ast.ClassDef():
            yield from node.body
        case ast.arguments():
            yield from [*node.defaults, *(each for each in node.kw_defaults if each is not None)]
        case ast.AnnAssign():
            yield from [node.value] if node.value is not None else []
        case ast.match_case():
            yield from [node.guard] if node.guard is not None else []
            yield from node.body
        case _:
            yield from ast.iter_child_nodes(node)


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.FunctionDef(name="__repr__"):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _LOGGERS
        case ast.keyword(arg=str(name)):
            return name in _CHECKS_ONLY
        case ast.BinOp(op=ast.BitOr()):
            return _is_type(node)
    return False


def _is_type(node: ast.expr) -> bool:
    """Whether the expression is a union of classes, which have capital letters."""
    match node:
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _is_type(left) and _is_type(right)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"str", "int", "float", "bool"} or (name[:1].isupper() and not name.isupper())
        case ast.Subscript(value=value):
            return _is_type(value)
        case ast.Constant(value=None):
            return True
    return False


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """Lines of the statement; of its head only, where it has a body."""
    body = getattr(statement, "cases", None) or getattr(statement, "body", None)
    if body:
        first = body[0].pattern.lineno if isinstance(body[0], ast.match_case) else body[0].lineno
        return statement.lineno, max(statement.lineno, first - 1)
    return statement.lineno, statement.end_lineno or statement.lineno


def _text(node: ast.AST) -> str:
    """Source text that can stand anywhere the old node stood."""
    needs_parentheses = isinstance(node, ast.BoolOp | ast.Compare | ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Lambda)
    return f"({ast.unparse(node)})" if needs_parentheses else ast.unparse(node)
