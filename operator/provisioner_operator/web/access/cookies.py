"""The cookie that keeps a token in the browser: in chunks, since a browser refuses a cookie of more than 4,096 bytes.

Pure. Nothing says how many chunks there are: they are read in order, and there are never more than three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_CHUNKS = 3
CHUNK_LENGTH = 3_800
"""Characters of a chunk: 4,096 with the cookie's name and attributes, and some to spare."""
_SECURE_NAME = "__Host-provisioner"
"""By this prefix browsers accept the cookie only over TLS, for the whole host, and from the host itself."""
_LOOPBACK_NAME = "provisioner"
"""On plain HTTP, which is for loopback only, browsers would refuse the prefix and the attribute Secure."""
_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Writes and reads the chunks of one cookie; `secure` unless the server is reached by plain HTTP on loopback."""

    secure: bool

    def read(self, cookies: Mapping[str, str]) -> str | None:
        """Return the value, or None if the browser sent none."""
        chunks = []
        for name in self._names():
            if name not in cookies:
                break
            chunks.append(cookies[name])
        return "".join(chunks) or None

    def write(self, value: str) -> Sequence[str]:
        """Return the headers `Set-Cookie` that keep a value until the browser ends, and discard chunks of an older one."""
        chunks = [value[start : start + CHUNK_LENGTH] for start in range(0, len(value), CHUNK_LENGTH)]
        if len(chunks) > MOST_CHUNKS:
            raise ValueError("The value does not fit into the cookie")
        kept = [self._header(name, chunk) for name, chunk in zip(self._names(), chunks, strict=False)]
        return [*kept, *self.discard()[len(chunks) :]]

    def discard(self) -> Sequence[str]:
        """Return the headers `Set-Cookie` that make a browser forget the value."""
        return [f"{self._header(name, '')}; Max-Age=0" for name in self._names()]

    def _names(self) -> Sequence[str]:
        name = _SECURE_NAME if self.secure else _LOOPBACK_NAME
        return [name, *(f"{name}-{number}" for number in range(1, MOST_CHUNKS))]

    def _header(self, name: str, value: str) -> str:
        return f"{name}={value}; {_ATTRIBUTES}" + ("; Secure" if self.secure else "")
