"""Names that nothing else has."""

import secrets

_LETTERS = "bcdfghjklmnpqrstvwxz"
"""No digit and no vowel: what a test looks for in a message, `d7` or `job`, must not stand in a name by chance."""


def unique(prefix: str) -> str:
    """A name of its own that begins so, which is also fit for a namespace."""
    return f"{prefix}-{''.join(secrets.choice(_LETTERS) for _ in range(12))}"
