"""The texts below a class's fields, read from its source when a schema is made.

pydantic reads them too (`use_attribute_docstrings`), but at each start of each program, and it takes a command a sixth of its
time; nobody but the maker of the CRDs wants them.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise


def attribute_docstrings(cls: type) -> dict[str, str]:
    """The text below each field of the class and of those that it inherits from, by the field's name."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith(cls.__module__.partition(".")[0]):
            found |= dict(_own(each))
    return found


def _own(cls: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for pair in pairwise(body):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
