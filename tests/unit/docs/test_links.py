"""Every relative link, anchor and image of every page leads somewhere."""

from pathlib import Path

import pytest

from support.manifests import REPOSITORY
from unit.docs.links import broken_links
from unit.docs.pages import Page, name_of, page_paths, read, slug_of

README = REPOSITORY / "README.md"


@pytest.mark.parametrize("path", page_paths(), ids=name_of)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    assert list(broken_links(read(path))) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a](docs/no-such-page.md)",
        "![a](docs/images/no-such-image.svg)",
        "[a](#no-such-heading)",
        "[a](docs/cancel.md#no-such-heading)",
        "[a](Makefile#no-anchors-here)",
        "[a](../outside.md)",
        "| a |\n|---|\n| [a](docs/no-such-page.md) |",
        "1. [a](docs/no-such-page.md)",
    ],
)
def test_a_broken_link_is_found(text: str) -> None:
    assert list(broken_links(Page.parse(text, README)))


@pytest.mark.parametrize(
    "text",
    [
        "[a](docs/cancel.md)",
        "[a](docs/cancel.md#who-may-cancel)",
        "[a](docs)",
        "# Some `code`, and *more*\n[a](#some-code-and-more)",
        "# Twice\n# Twice\n[a](#twice-1)",
        '<a id="here"></a>there [a](#here)',
        "[a](https://example.com/anything#at-all)",
        "```\n[a](in-code.md)\n```",
    ],
)
def test_a_good_link_is_not_complained_about(text: str) -> None:
    assert list(broken_links(Page.parse(text, README))) == []


def test_anchors_are_those_of_github() -> None:
    assert slug_of("latestBuild, lastRun and change") == "latestbuild-lastrun-and-change"
    assert slug_of("Up / down: what next?") == "up--down-what-next"
