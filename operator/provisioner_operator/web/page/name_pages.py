"""Pages of a list by name: each begins at a name, so that rows that come and go move no others. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from provisioner_operator.core.jobs.ordering import natural
from provisioner_operator.web.index.rows import ObjectRow

PAGE_SIZE = 50
"""Rows of a page, as many as the list of jobs has."""
START = "from"
"""Parameter with the name at which a page begins, and where names may be equal, the namespace after a slash."""
_LONGEST_START = 512


@dataclass(frozen=True, slots=True)
class NamePage:
    """Rows of a page, and the start of the page after it."""

    rows: Sequence[ObjectRow]
    start: str
    """Empty on the first page."""
    following: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True)
class Pager:
    """Links to other pages; empty where there are none."""

    first_href: str
    next_href: str


def start_of(text: str | None) -> str:
    """Return the start of a page that an address names."""
    return (text or "")[:_LONGEST_START]


def page_from(rows: Sequence[ObjectRow], start: str) -> NamePage:
    """Return the page that begins at this place; `rows` are in the order of `ObjectIndex.of`."""
    name, _, namespace = start.partition("/")
    begin = bisect_left(rows, (natural(name), namespace), key=lambda row: (natural(row.name), row.namespace))
    end = begin + PAGE_SIZE
    following = f"{rows[end].name}/{rows[end].namespace}" if end < len(rows) else ""
    return NamePage(rows[begin:end], start if begin else "", following)


def pager(page: NamePage, path: str, **filters: str) -> Pager:
    """Return the links of a page, which keep the filters."""
    kept = {key: value for key, value in filters.items() if value}
    query = urlencode(kept)
    first = f"{path}?{query}" if query else path
    following = f"{path}?{urlencode(kept | {START: page.following})}"
    return Pager(first if page.start else "", following if page.following else "")
