"""Numbers that tell nothing to whoever is given them: a permutation of 64 bits under a key that only this process has.

How much a number grew would tell how much happens in foreign namespaces. A Feistel network of four rounds; pure, but for its key.
"""

import secrets
from hashlib import blake2b

_KEY = secrets.token_bytes(32)
_BITS = 32
_HALF = (1 << _BITS) - 1
_ROUNDS = range(4)


def hide(number: int) -> int:
    """Return what stands for a number of up to 64 bits."""
    left, right = number >> _BITS, number & _HALF
    for each in _ROUNDS:
        left, right = right, left ^ _mixed(each, right)
    return left << _BITS | right


def reveal(hidden: int) -> int:
    """Return the number that this stands for."""
    left, right = hidden >> _BITS, hidden & _HALF
    for each in reversed(_ROUNDS):
        left, right = right ^ _mixed(each, left), left
    return left << _BITS | right


def _mixed(step: int, half: int) -> int:
    return int.from_bytes(blake2b(bytes([step]) + half.to_bytes(4), key=_KEY, digest_size=4).digest())
