"""Mask secret values in everything that leaves the daemon: logs, messages, outputs.

Given every value that came from a Secret; applied by `run_log` and `run` to all that is written. Takes time in proportion to the
text, whatever the secrets and the text are: RE2 is an automaton, where Python's own expressions try each secret at each
place. It lets other threads run meanwhile.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import re2

from provisioner_operator.daemon.logs.secret_forms import secret_forms

MASK = "(secret)"
MOST_PATTERN_BYTES = 200_000
"""Bytes of one automaton's pattern. More secrets, such as hundreds of keys, take several automata, one after the other."""
MOST_MEMORY = 128 * 1024 * 1024
"""Bytes that an automaton may need; with few secrets, it needs far less. With too little it becomes slow, but not wrong."""


class Redactor:
    """Replaces secret values in text, also where they appear line by line, or encoded for JSON, a URL or as base64."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._automata: list[Any] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these values, instead of earlier ones, from now on."""
        forms = {form for secret in secrets for form in secret_forms(secret)}
        # The longest first, so that a secret that contains another is masked whole.
        patterns = [pattern for _, pattern in sorted(forms, key=lambda form: form[0], reverse=True)]
        self._automata = [_automaton(group) for group in _groups(patterns)]
        # The module keeps what it compiled: the secrets of jobs that are long over, and the memory of their automata.
        re2.purge()

    def __call__(self, text: str) -> str:
        """Return the text with each secret masked."""
        if not self._automata:
            return text
        data = text.encode(errors="surrogatepass")
        for automaton in self._automata:
            data = automaton.sub(MASK.encode(), data)
        return data.decode(errors="surrogatepass")


def _groups(patterns: list[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for pattern in patterns:
        if group and size + len(pattern) > MOST_PATTERN_BYTES:
            yield group
            group, size = [], 0
        group.append(pattern)
        size += len(pattern)
    if group:
        yield group


def _automaton(patterns: list[bytes]) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they encode
    options.longest_match = True
    options.never_capture = True
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    # In order, so that RE2 finds what neighbors have in common.
    return re2.compile(b"|".join(sorted(patterns)), options)
