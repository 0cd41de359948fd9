"""Every metric that the users' pages query is in the reference, which is tested against the code."""

import re
from collections.abc import Iterator

import pytest

from support.manifests import REPOSITORY
from unit.docs.pages import Page, read

DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"

_METRIC = re.compile(r"\bprovisioner_[a-z_]+")
_SERIES = re.compile(r"_(bucket|sum|count)$")
"""Suffixes of a histogram's series."""


def unknown_metrics(page: Page) -> Iterator[str]:
    """Metrics that the page names and the reference does not."""
    documented = set(read(DOCS / "reference" / "metrics.md").inline_code)
    for code in page.code:
        yield from (name for name in _METRIC.findall(code) if not {name, _SERIES.sub("", name)} & documented)


@pytest.mark.parametrize("name", ["monitoring.md", "troubleshooting.md", "runbooks/ProvisionerQueueWaitBudgetBurn.md"])
def test_every_metric_of_a_page_exists(name: str) -> None:
    page = read(DOCS / name)
    assert any(_METRIC.search(code) for code in page.code)
    assert sorted(set(unknown_metrics(page))) == []


@pytest.mark.parametrize("query", ["sum(provisioner_nonsense)", "rate(provisioner_jobs_ended_sum[1h])"])
def test_a_metric_that_does_not_exist_is_found(query: str) -> None:
    assert list(unknown_metrics(Page.parse(f"`{query}`", README)))
