"""Each kind of mutation as a rule: from a node of the syntax tree to what takes its place.

A rule looks at its node alone. `scan.py` decides which nodes are looked at.
"""

import ast
from collections.abc import Iterator

from mutation.mutants import Kind

Change = tuple[Kind, ast.AST, ast.AST]
"""The kind, the node that is replaced, and the node that takes its place."""

_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
_BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_LOGIC: dict[type[ast.boolop], type[ast.boolop]] = {ast.And: ast.Or, ast.Or: ast.And}


def changes(node: ast.AST) -> Iterator[Change]:
    """All mutations of one node."""
    for tested in _conditions(node):
        yield from _negated(tested)
    if isinstance(node, ast.expr):
        yield from _of_expression(node)
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node)


def _conditions(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.match_case(guard=ast.expr() as test):
            return [test]
        case ast.comprehension(ifs=tests):
            return tests
    return []


def _of_expression(node: ast.expr) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.BoolOp(op=op, values=values):
            yield Kind.LOGIC, node, ast.BoolOp(_LOGIC[type(op)](), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield Kind.NEGATE, node, operand
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield Kind.ARITHMETIC, node, operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC and not _is_text(left, right):
            yield Kind.ARITHMETIC, node, ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Constant(value=bool(value)):
            yield Kind.BOOLEAN, node, ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield Kind.CONSTANT, node, ast.Constant(value * 2 or 1)


def _of_statement(node: ast.stmt) -> Iterator[Change]:
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_nothing(value):
            yield Kind.RETURN, node, ast.Return(ast.Constant(None))
        case ast.AugAssign(target=target, op=op, value=value):
            yield Kind.DROP, node, ast.Pass()
            if type(op) in _ARITHMETIC and not _is_text(value):
                yield Kind.ARITHMETIC, node, ast.AugAssign(target, _ARITHMETIC[type(op)](), value)
        case _ if _can_be_dropped(node):
            yield Kind.DROP, node, ast.Pass()


def _of_comparison(node: ast.Compare) -> Iterator[Change]:
    for at, op in enumerate(node.ops):
        for kind, table in ((Kind.COMPARE, _OPPOSITES), (Kind.BOUNDARY, _BOUNDARIES)):
            if type(op) in table:
                turned = [*node.ops[:at], table[type(op)](), *node.ops[at + 1 :]]
                yield kind, node, ast.Compare(node.left, turned, node.comparators)


def _negated(test: ast.expr) -> Iterator[Change]:
    """The condition's negation, unless turning its only comparison, dropping its `not`, or its literal is the same."""
    is_one_comparison = isinstance(test, ast.Compare) and len(test.ops) == 1
    is_negation = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    if not (is_one_comparison or is_negation or isinstance(test, ast.Constant)):
        yield Kind.NEGATE, test, ast.UnaryOp(ast.Not(), test)


def _can_be_dropped(node: ast.stmt) -> bool:
    """Whether the program still has a meaning without the statement: without a name's assignment it has none."""
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return all(isinstance(each, ast.Attribute | ast.Subscript) for each in targets)
        case ast.AnnAssign(target=ast.Attribute(), value=ast.expr()):
            return True
    return False


def _is_text(*operands: ast.expr) -> bool:
    """Whether an operand is a text or a list, with which another operator would only be a type error."""
    literals = (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)
    return any(
        isinstance(each, literals) or (isinstance(each, ast.Constant) and isinstance(each.value, str | bytes))
        for each in operands
    )


def _is_nothing(value: ast.expr) -> bool:
    """Whether callers could not distinguish the value from None, or a literal whose own mutation says more."""
    match value:
        case ast.Constant(value=constant):
            return not constant or constant is True
        case ast.Tuple(elts=[]) | ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
    return False
