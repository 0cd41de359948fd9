"""Make text of other people safe to show: logs, names, reasons, messages. Pure.

Templates escape markup. This module removes what escaping leaves: terminal codes, control characters, characters that
reverse the order of text, and links that run code.
"""

import re
from urllib.parse import urlsplit

_TERMINAL_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colors and movements of the cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links of a terminal's window
    r"|\x1b[@-Z\\^_]"
)
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters other than tab and newline, and those that change the direction of text."""
_REPLACEMENT = "\ufffd"


def plain(text: str) -> str:
    """Return the text without terminal codes; other invisible characters become a replacement character."""
    if text.isprintable():
        return text
    return _HIDDEN.sub(_REPLACEMENT, _TERMINAL_CODES.sub("", text.replace("\r\n", "\n")))


def web_link(text: str) -> str | None:
    """Return the text if it is an address that a page may link to: http or https, with a host; else None."""
    if not text.isprintable() or any(each.isspace() or each in "\\<>\"'`" for each in text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host else None
