"""Leave out objects that another version of the product wrote and this one cannot read. Pure."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TypeVar

from pydantic import ValidationError

from provisioner_operator.kube.parsing import UnparseableObjectError, explain
from provisioner_operator.web.index.rows import ObjectRow

_Model = TypeVar("_Model")
Parse = Callable[[ObjectRow], _Model]


def refusing(parse: Parse[_Model]) -> Parse[_Model]:
    """Let a parser raise UnparseableObjectError, which names the field."""

    @wraps(parse)
    def parsed(row: ObjectRow) -> _Model:
        try:
            return parse(row)
        except ValidationError as error:
            raise UnparseableObjectError(explain(error)) from None

    return parsed


def readable(rows: Iterable[ObjectRow], parse: Parse[object]) -> list[ObjectRow]:
    """Return the rows that can be parsed."""
    return [row for row in rows if is_readable(row, parse)]


def is_readable(row: ObjectRow, parse: Parse[object]) -> bool:
    """Return whether a row can be parsed."""
    try:
        parse(row)
    except UnparseableObjectError:
        return False
    return True
