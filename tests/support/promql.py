"""Metrics and labels that a PromQL expression names. A reader for tests, not a parser: it knows the forms that our rules have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from support.manifests import REPOSITORY

_METRIC = re.compile(r"\b(provisioner_[a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)\s*\(")
_SERIES = re.compile(r"_(bucket|sum|count)$")
_ROW = re.compile(r"^\| `(provisioner_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
_HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric with the matchers of its labels."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator and value."""


def selectors(expression: str) -> Iterator[Selector]:
    """All selectors of our metrics; recording rules have other names."""
    for metric, matchers in _METRIC.findall(expression):
        yield Selector(metric, tuple(_MATCHER.findall(matchers)))


def unknown(expression: str) -> Iterator[str]:
    """Complaints about metrics and labels that the operator does not export."""
    for each in selectors(expression):
        if (labels := labels_of(each.metric)) is None:
            yield f"there is no metric {each.metric}"
        else:
            yield from (f"{each.metric} has no label {name}" for name, _, _ in each.matchers if name not in labels)
    for grouping in _GROUPING.finditer(expression):
        names = {name.strip() for name in grouping[1].split(",")}
        for each in selectors(_operand(expression, grouping.end())):
            missing = names - (labels_of(each.metric) or names)
            yield from (f"{each.metric} has no label {name}" for name in sorted(missing))


def labels_of(series: str) -> frozenset[str] | None:
    """Labels of a time series, according to the reference, which is tested against the registry; None if there is none."""
    page = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    suffix = _SERIES.search(series)
    for name, type_, labels in _ROW.findall(page):
        if name == (_SERIES.sub("", series) if type_ == _HISTOGRAM else series):
            found = frozenset(re.findall(r"`(\w+)`", labels))
            is_bucket = suffix is not None and suffix[1] == "bucket"
            return found | {"le"} if is_bucket else found if suffix or type_ != _HISTOGRAM else None
    return None


def _operand(expression: str, begin: int) -> str:
    """The text from a position after a parenthesis to the one that closes it."""
    depth = 1
    for at in range(begin, len(expression)):
        depth += {"(": 1, ")": -1}.get(expression[at], 0)
        if depth == 0:
            return expression[begin:at]
    raise ValueError(f"a parenthesis is open in {expression}")
