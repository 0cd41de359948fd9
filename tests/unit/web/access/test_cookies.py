"""The cookie holds a token in at most three chunks, and only the attributes that keep it to this host."""

from collections.abc import Sequence
from http.cookies import SimpleCookie

import pytest

from provisioner_operator.web.access.cookies import CHUNK_LENGTH, MOST_CHUNKS, CookieJar
from provisioner_operator.web.access.tokens import LONGEST_TOKEN

MOST_BYTES_OF_A_COOKIE = 4096


class Browser:
    """Keeps cookies as a browser does."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def receive(self, headers: Sequence[str]) -> None:
        for header in headers:
            assert len(header) <= MOST_BYTES_OF_A_COOKIE
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("length", [1, CHUNK_LENGTH, CHUNK_LENGTH + 1, LONGEST_TOKEN])
def test_a_token_of_any_length_comes_back(length: int, *, secure: bool) -> None:
    jar, browser = CookieJar(secure), Browser()

    browser.receive(jar.write("x" * length))

    assert jar.read(browser.cookies) == "x" * length


def test_the_longest_token_fills_all_chunks() -> None:
    assert LONGEST_TOKEN == MOST_CHUNKS * CHUNK_LENGTH
    with pytest.raises(ValueError, match="does not fit"):
        CookieJar(secure=True).write("x" * (LONGEST_TOKEN + 1))


def test_a_shorter_token_leaves_nothing_of_a_longer_one() -> None:
    jar, browser = CookieJar(secure=True), Browser()

    browser.receive(jar.write("x" * LONGEST_TOKEN))
    browser.receive(jar.write("short"))

    assert jar.read(browser.cookies) == "short"
    assert len(browser.cookies) == 1


def test_a_logout_leaves_nothing() -> None:
    jar, browser = CookieJar(secure=True), Browser()

    browser.receive(jar.write("x" * LONGEST_TOKEN))
    browser.receive(jar.discard())

    assert browser.cookies == {}
    assert jar.read(browser.cookies) is None


def test_over_tls_a_cookie_belongs_to_this_host_alone_and_no_script_reads_it() -> None:
    header = CookieJar(secure=True).write("token")[0]

    assert header == "__Host-provisioner=token; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_on_loopback_a_cookie_needs_no_tls() -> None:
    assert CookieJar(secure=False).write("token")[0] == "provisioner=token; Path=/; HttpOnly; SameSite=Lax"


def test_over_tls_the_cookie_of_loopback_is_not_read() -> None:
    assert CookieJar(secure=True).read({"provisioner": "planted-by-a-sibling"}) is None


def test_threat_18_of_any_number_of_chunks_three_are_read() -> None:
    jar = CookieJar(secure=True)
    forged = {"__Host-provisioner": "0", **{f"__Host-provisioner-{number}": str(number) for number in range(1, 1000)}}

    assert jar.read(forged) == "012"


def test_threat_18_a_gap_ends_the_chunks() -> None:
    jar = CookieJar(secure=True)

    assert jar.read({"__Host-provisioner": "a", "__Host-provisioner-2": "c"}) == "a"
    assert jar.read({"__Host-provisioner-1": "b"}) is None
