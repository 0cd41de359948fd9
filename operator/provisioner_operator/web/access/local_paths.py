"""Paths of this server that a browser may be sent to after a login. Pure."""

import re

_HARMLESS = re.compile(r"/[!-\[\]-~]*", re.ASCII)
"""A path of visible characters without a backslash: browsers read `/\\` like `//`, and skip tabs and line ends."""


def local_path(text: str | None) -> str:
    """Return a path of this server as it is, and `/` in place of anything that leads elsewhere."""
    if text is None or not _HARMLESS.fullmatch(text) or text.startswith("//"):
        return "/"
    return text
