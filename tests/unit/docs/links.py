"""Finds links of a page that lead nowhere."""

from collections.abc import Iterator
from urllib.parse import unquote

from support.manifests import REPOSITORY
from unit.docs.pages import Page, read

_ELSEWHERE = ("http://", "https://", "mailto:")


def broken_links(page: Page) -> Iterator[str]:
    """The page's relative links and images whose file or anchor does not exist, each with what is missing."""
    for link in (*page.links, *page.images):
        if link.startswith(_ELSEWHERE):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (page.path.parent / file).resolve() if file else page.path
        if not target.exists() or not target.is_relative_to(REPOSITORY):
            yield f"{link}: there is no such file"
        elif anchor and (
            target.suffix != ".md" or anchor not in (page if target == page.path else read(target)).anchors
        ):
            yield f"{link}: there is no such heading"
