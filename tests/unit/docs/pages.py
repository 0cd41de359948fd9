"""Reads the project's Markdown pages: headings, links, code and tables. Knows nothing of what is checked about them."""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.manifests import REPOSITORY

_PARSER = MarkdownIt("commonmark").enable("table")
_EXPLICIT_ANCHOR = re.compile(r'<a\s+id="([^"]+)"')
_NOT_IN_SLUGS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced or indented block of code."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the heading that it stands under."""

    section: str
    rows: tuple[tuple[str, ...], ...]
    """The cells of its body, as they are written."""


@dataclass(slots=True)
class Page:
    """One Markdown page."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    blocks: list[CodeBlock] = field(default_factory=list)
    inline_code: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str, path: Path) -> "Page":
        """Read a page from its text."""
        page = cls(path)
        tokens = _PARSER.parse(text)
        for token, following in zip(tokens, [*tokens[1:], None], strict=True):
            match token.type:
                case "fence" | "code_block":
                    page.blocks.append(CodeBlock(token.info.strip(), token.content))
                case "html_block":
                    page.anchors.update(_EXPLICIT_ANCHOR.findall(token.content))
                case "heading_open" if following is not None:
                    page._add_heading(_plain(following))
                case "inline":
                    page._add_inline(token)
        page.tables.extend(_tables(tokens))
        return page

    @property
    def code(self) -> Iterator[str]:
        """All code, in blocks and in sentences."""
        yield from (block.text for block in self.blocks)
        yield from self.inline_code

    def _add_heading(self, heading: str) -> None:
        slug = slug_of(heading)
        taken, number = slug, 0
        while taken in self.anchors:
            number += 1
            taken = f"{slug}-{number}"
        self.anchors.add(taken)

    def _add_inline(self, token: Token) -> None:
        for child in token.children or ():
            match child.type:
                case "link_open":
                    self.links.append(str(child.attrs["href"]))
                case "image":
                    self.images.append(str(child.attrs["src"]))
                case "code_inline":
                    self.inline_code.append(child.content)
                case "html_inline":
                    self.anchors.update(_EXPLICIT_ANCHOR.findall(child.content))


def slug_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return _NOT_IN_SLUGS.sub("", heading.strip().lower()).replace(" ", "-")


def page_paths() -> list[Path]:
    """All Markdown files of the repository, without those in hidden folders."""
    found = []
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".md")]
    return found


@cache
def read(path: Path) -> Page:
    """Read a page of the repository, once."""
    return Page.parse(path.read_text(encoding="utf-8"), path)


def name_of(path: Path) -> str:
    """The page's path from the repository's root, for test ids."""
    return path.relative_to(REPOSITORY).as_posix()


def _tables(tokens: list[Token]) -> Iterator[Table]:
    section, rows, cells = "", list[tuple[str, ...]](), list[str]()
    for token, following in itertools.pairwise(tokens):
        match token.type:
            case "heading_open":
                section = _plain(following)
            case "table_open":
                rows = []
            case "tr_open":
                cells = []
            case "td_open":
                cells.append(following.content)
            case "tr_close" if cells:
                rows.append(tuple(cells))
        if following.type == "table_close":
            yield Table(section, tuple(rows))


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
