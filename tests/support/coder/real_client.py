"""Coder's own command line, where the environment variable CODER_BINARY names it."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from support.coder.transcript import note

VARIABLE = "CODER_BINARY"
_TIMEOUT = 120
"""Seconds. Following a log takes as long as its run."""


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """The result of one command."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str = ""

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @override
    def __str__(self) -> str:
        return f"coder {' '.join(self.arguments)}: exit code {self.code}\n{self.out}{self.err}"


@dataclass(frozen=True, slots=True)
class RealClient:
    """The program, as one user."""

    binary: str
    url: str
    token: str = field(repr=False)
    home: Path
    """Its home directory, in which it keeps the token that `login` gives it."""

    def run(self, *arguments: str) -> ClientAnswer:
        """Run a command, with the token in its environment unless it logs in or out."""
        stored = arguments[0] in {"login", "logout"}
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CODER_CONFIG_DIR": str(self.home / "coder"),
            "NO_COLOR": "1",
            **({} if stored else {"CODER_URL": self.url, "CODER_SESSION_TOKEN": self.token}),
        }
        finished = subprocess.run(
            [self.binary, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
        note(arguments, finished.returncode, finished.stdout + finished.stderr, secret=self.token)
        return ClientAnswer(arguments, finished.returncode, finished.stdout, finished.stderr)
