"""Unique names."""

import secrets

_LETTERS = "bcdfghjklmnpqrstvwxz"
"""Letters without digits and vowels, so that a name never contains a text that a test looks for, such as `d7` or `job`."""


def unique(prefix: str) -> str:
    """Return a unique name with this prefix, which is also valid for a namespace."""
    return f"{prefix}-{''.join(secrets.choice(_LETTERS) for _ in range(12))}"
