"""The log of the real client's commands, for people to read: CODER_TRANSCRIPT names the file to write.

    rm -f docs/coder-client.md
    CODER_BINARY=coder CODER_TRANSCRIPT=docs/coder-client.md \
        .venv/bin/python -m pytest -n 0 tests/integration/web/test_coder_client.py -k real
"""

import os
from itertools import takewhile
from pathlib import Path

VARIABLE = "CODER_TRANSCRIPT"
_MOST_LINES = 16
"""Lines of one output that are kept: the beginning of a long table or document says what it is."""
_WIDEST = 180
_HEADER = """\
# Coder's client

Commands of Coder's own program against `provisioner-web` and a real control plane, as tests of this project ran them (version 2.36.0). Long outputs are
cut, and names of namespaces, workspaces and jobs are those of the tests. Written by:

```
rm -f docs/coder-client.md
CODER_BINARY=coder CODER_TRANSCRIPT=docs/coder-client.md \\
    .venv/bin/python -m pytest -n 0 tests/integration/web/test_coder_client.py -k real
```
"""


def note(arguments: tuple[str, ...], code: int, output: str, *, secret: str) -> None:
    """Add a command to the log, under the name of the test that runs it."""
    path = os.environ.get(VARIABLE)
    if path is None:
        return
    file, test = Path(path), _test()
    known = file.read_text(encoding="utf-8") if file.exists() else _HEADER
    heading = f"\n## {test}\n"
    beginning = known if heading in known else known + heading
    text = "\n".join([f"$ coder {' '.join(arguments)}", *_cut(output), *([f"(exit code {code})"] if code else [])])
    file.write_text(f"{beginning}\n```\n{text.replace(secret, '$TOKEN')}\n```\n", encoding="utf-8")


def _test() -> str:
    """Return the running test's name as a sentence."""
    name = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2]
    return "".join(takewhile(lambda each: each not in "[ ", name)).removeprefix("test_").replace("_", " ").capitalize()


def _cut(output: str) -> list[str]:
    lines = [line.rstrip()[:_WIDEST].rstrip() for line in output.splitlines() if line.strip()]
    rest = len(lines) - _MOST_LINES
    return lines if rest <= 0 else [*lines[:_MOST_LINES], f"... {rest} more lines"]
