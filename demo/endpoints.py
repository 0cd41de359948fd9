"""Wait until a program serves HTTP, at the address that its log names: each chooses a free port itself.

Called by the environment.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from demo.people import UnexpectedResultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.programs import Programs

# The operator needs one to two seconds on a quiet machine, many times that beside a compiler.
START_WITHIN = 60.0
POLL = 0.05


def logged_url(log: Path) -> str:
    """Return the URL of a program whose log is JSON and says its port; empty before it does."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"port"' in line:
            return f"http://127.0.0.1:{int(json.loads(line)['port'])}"
    return ""


def await_ready(
    programs: Programs, name: str, path: str = "/readyz", *, find_url: Callable[[Path], str] = logged_url
) -> str:
    """Wait until the program answers at the path that it is ready; return its URL. Raises UnexpectedResultError."""
    deadline = time.monotonic() + START_WITHIN
    while not (url := find_url(programs.log(name))) or not _answers(url, path):
        programs.check()
        if time.monotonic() > deadline:
            raise UnexpectedResultError(f"Expected the program {name} to be ready within {START_WITHIN:.0f} s.")
        time.sleep(POLL)
    return url


def _answers(url: str, path: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=START_WITHIN)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
