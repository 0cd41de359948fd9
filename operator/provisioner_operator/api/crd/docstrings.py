"""Read the docstrings of a class's fields from its source, when a schema is generated.

pydantic can read them too (`use_attribute_docstrings`), but at each start of each program, which takes a sixth of a
command's time; only the generators of the CRDs and of the reference need them.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise


def attribute_docstrings(cls: type) -> dict[str, str]:
    """Map the fields of the class and of its base classes to their docstrings."""
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
