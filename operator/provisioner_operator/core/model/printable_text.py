"""Clean text of codes that would garble a terminal or a page that shows it. Pure.

Used by the daemon for what it keeps and prints, and by the web server for what it reads.
"""

import re

_TERMINAL_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colors, moves of the cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links, and other strings with an end
    r"|\x1b[@-Z\\-_]"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Return the text without colors and control characters."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _TERMINAL_CODES.sub("", text))
