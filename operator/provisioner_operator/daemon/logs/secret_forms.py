r"""Build the patterns of a secret: as it is, and as other programs write it into JSON, a URL or base64. Pure.

Used by `redaction`. A pattern is a regular expression of bytes (text as UTF-8). Characters that encoders treat differently match
in each of their notations, so that no encoder has to be known by name: Go writes `<` in JSON as `\u003c`, others do not.
"""

import base64
import math
from collections.abc import Iterator
from functools import lru_cache

SHORTEST_SECRET = 3
"""Shorter values (`1`, `no`) occur everywhere; masking them would make the log unreadable and protect nothing."""
SHORTEST_SECRET_LINE = 8
"""The length from which a single line of a multi-line secret (a key, a kubeconfig) is masked on its own."""
LONGEST_PIECE = 1024
"""Characters of a secret that are masked as one; a longer one is masked in pieces, which bounds the size of a pattern."""
SHORTEST_INNER_BASE64 = 6
"""Characters of a secret's base64 inside that of a longer text: fewer occur by chance."""

_HEADS = (0, 2, 3)
"""Characters of base64 that also encode the zero, one or two bytes before the secret."""
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
"""Characters that no encoder changes."""
_SHORT_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_DOUBLED = frozenset("\\$%")
"""Characters that some notations double: `\\\\` in JSON, `$${` and `%%{` in Terraform's language."""
_BASE64 = {"+": r"(?:[+\-]|%2[bB]|\\+u002[bB])", "/": r"(?:\\*/|_|%2[fF])"}
_BASE64_END = rb"(?:[A-Za-z0-9_+/\-](?:(?:=|%3[dD]|\\+u003[dD]){0,2}))?"
"""The character that encodes the secret's last bits together with what follows, and the padding where nothing does."""


def secret_forms(secret: str) -> Iterator[tuple[int, bytes]]:
    """Yield the patterns of a secret, each with the number of characters that it stands for."""
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST_SECRET_LINE}
    texts = {secret, secret.strip(), *lines}
    for text in texts:
        if len(text) < SHORTEST_SECRET:
            continue
        # Of equal size: a last one might be as short as a word.
        size = math.ceil(len(text) / math.ceil(len(text) / LONGEST_PIECE))
        for start in range(0, len(text), size):
            piece = text[start : start + size]
            yield len(piece), b"".join(map(_character, piece))
            yield from ((len(piece), pattern) for pattern in _base64(piece))


@lru_cache(maxsize=4096)
def _character(character: str) -> bytes:
    """Return the pattern of a character in all notations."""
    if character in _PLAIN:
        return _literal(character)
    encoded = character.encode(errors="surrogatepass")
    percent = b"".join(b"%" + _hex(f"{byte:02x}") for byte in encoded)
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    escaped = b"".join(rb"\\+u" + _hex(units[at : at + 4]) for at in range(0, len(units), 4))
    notations = [_raw(character), percent, escaped]
    if character in _SHORT_ESCAPES:
        notations.append(rb"\\+" + _SHORT_ESCAPES[character].encode())
    if character == " ":
        notations.append(rb"\+")
    if character == "\n":
        return b"(?:" + _character("\r") + b")?(?:" + b"|".join(notations) + b")"
    return b"(?:" + b"|".join(notations) + b")"


def _raw(character: str) -> bytes:
    if character in _DOUBLED:
        return _literal(character) + b"+"
    if character.isascii() and character.isprintable() and character != " ":
        return rb"\\*" + _literal(character)
    return _literal(character)


def _base64(text: str) -> Iterator[bytes]:
    """Yield the patterns of the text's base64, for each number of bytes that may precede it, modulo three."""
    data = text.encode(errors="surrogatepass")
    for before, head in enumerate(_HEADS):
        whole = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        shares_last = (before + len(data)) % 3 != 0
        inner = whole[head : len(whole) - shares_last]
        if before and len(inner) < SHORTEST_INNER_BASE64:
            continue
        pattern = b"".join(_BASE64[each].encode() if each in _BASE64 else each.encode() for each in inner)
        yield pattern + _BASE64_END if shares_last else pattern


def _literal(text: str) -> bytes:
    return "".join(f"\\x{byte:02x}" for byte in text.encode(errors="surrogatepass")).encode()


def _hex(digits: str) -> bytes:
    return "".join(each if each.isdecimal() else f"[{each}{each.upper()}]" for each in digits).encode()
