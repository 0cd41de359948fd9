"""Mask secret values in everything that leaves the daemon: logs, messages, outputs.

Given every value that came from a Secret; applied by `run_log` and `run` to all that is written.
"""

import json
import re
from collections.abc import Iterable

MASK = "(secret)"
SHORTEST_SECRET = 3
"""Shorter values (`1`, `no`) occur everywhere; masking them would make the log unreadable and protect nothing."""
SHORTEST_SECRET_LINE = 8
"""The length from which a single line of a multi-line secret (a key, a kubeconfig) is masked on its own."""


class Redactor:
    """Replaces secret values in text, also where they appear escaped as JSON or line by line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these values, instead of earlier ones, from now on."""
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first, so that a secret that contains another is masked whole.
        pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(pattern) if pattern else None

    def __call__(self, text: str) -> str:
        """Return the text with each secret masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _forms(secret: str) -> Iterable[str]:
    stripped = secret.strip()
    lines = [line.strip() for line in secret.splitlines()]
    plain = [form for form in (secret, stripped) if len(form) >= SHORTEST_SECRET]
    if len(lines) > 1:
        plain += [line for line in lines if len(line) >= SHORTEST_SECRET_LINE]
    for form in plain:
        yield form
        yield json.dumps(form)[1:-1]
        yield json.dumps(form, ensure_ascii=False)[1:-1]
