"""Define the request for a fetch from git, its limits and its error. Pure; shared by the daemon and `fetch_program`."""

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import Self
from urllib.parse import urlsplit

REQUEST = "PROVISIONER_GIT_REQUEST"
"""Variable of the program's environment that holds the request."""
REPOSITORY = "repository"
"""Folder of the run's directory in which the program leaves the files."""
COMMIT_PREFIX = "commit: "
"""Marks the line of the program's output that names the commit."""
FAILED = 1
"""The program's exit code when the last line of its standard error is the reason."""
SCHEMES = ("https", "http")
WHOLE_REPOSITORY = "."
SHORTEST_TOKEN = 20
"""Characters: a shorter username is no token, and masking it everywhere would only make the log unreadable."""


class FetchError(Exception):
    """A source that cannot be fetched; the message names what failed, where, and what to do next."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a fetch. A repository that exceeds them holds more than Terraform files, or is malicious."""

    received_bytes: int = 100_000_000
    """Over the network, all answers together."""
    files: int = 10_000
    """Entries of the checkout, folders included."""
    file_bytes: int = 100_000_000
    """Of all files of the checkout together."""
    seconds: float = 120.0
    """The fetch as a whole."""
    silent_seconds: float = 60.0
    """The time that the server may take before it sends anything; large repositories need some."""
    memory_bytes: int = 1_000_000_000
    """Of the program: compressed data may grow a thousandfold."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login, and the name of its Secret."""

    secret: str
    username: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The values to mask, perhaps also the username: some servers take the token there."""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return (self.password, pair, *([self.username] if len(self.username) >= SHORTEST_TOKEN else []))


@dataclass(frozen=True, slots=True)
class GitRequest:
    """A folder of a repository at one commit."""

    url: str
    ref: str = "HEAD"
    commit: str | None = None
    """Takes precedence over `ref`."""
    path: str = WHOLE_REPOSITORY
    credentials: Credentials | None = None
    limits: Limits = field(default_factory=Limits)

    def encode(self) -> str:
        """Return the request as text, for the program's environment."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the request that `encode` turned into text."""
        fields = json.loads(text)
        credentials = fields["credentials"]
        return cls(
            url=fields["url"],
            ref=fields["ref"],
            commit=fields["commit"],
            path=fields["path"],
            credentials=None if credentials is None else Credentials(**credentials),
            limits=Limits(**fields["limits"]),
        )

    def check(self) -> None:
        """Check the rules that the API also enforces: a job may predate them. Raises FetchError."""
        try:
            parts = urlsplit(self.url)
            refused = parts.scheme not in SCHEMES or not parts.hostname or "@" in parts.netloc or parts.query
        except ValueError:
            refused = True
        if refused:
            # The URL is not shown: it may contain a password.
            raise FetchError(
                "spec.source.git.url is not a URL like https://git.example.com/team/repository.git without credentials "
                "in it. Local paths and other protocols are not supported, and credentials belong in a Secret (secretRef)."
            )
        steps = self.path.split("/")
        if self.path != WHOLE_REPOSITORY and not {"", ".", "..", ".git"}.isdisjoint(steps):
            raise FetchError(
                f"spec.source.git.path {self.path!r} is not a path below the repository's root. "
                "Write it without '..', and without '/' at its ends."
            )

    @property
    def wanted(self) -> str:
        """The requested commit, for messages."""
        return f"commit {self.commit}" if self.commit else self.ref

    @property
    def where(self) -> str:
        """The requested commit and its repository, for messages."""
        return f"{self.wanted} of {self.url}"
