"""A request is for one of our names, and comes from a page of the same name and port."""

import pytest

from provisioner_operator.web.access.hosts import is_allowed, is_loopback, is_same_origin, root_address

OURS = frozenset({"jobs.example.com"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "jobs.example.com", "JOBS.Example.com:443"],
)
def test_our_names_are_allowed_with_any_port(host: str) -> None:
    assert is_allowed(host, OURS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "jobs.example.com.evil.example",
        "evil.jobs.example.com",
        "jobs.example.com@evil.example",
        "jobs.example.com:80:90",
        "jobs.example.com:",
        "jobs.example.com.",
        "jobs.example.com/",
        " jobs.example.com",
        "evil.localhost",
        "127.0.0.2",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_threat_01_every_other_name_is_refused(host: str) -> None:
    assert not is_allowed(host, OURS)


def test_names_below_localhost_are_loopback_but_only_one_of_ours_is_allowed() -> None:
    assert is_loopback("mine.localhost:8080")
    assert is_allowed("mine.localhost:8080", {"mine.localhost"})
    assert not is_loopback("localhost.evil.example")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://jobs.example.com", "jobs.example.com"),
        ("https://jobs.example.com", "jobs.example.com:443"),
        ("https://jobs.example.com:8443", "jobs.example.com:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "localhost"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://mine.localhost:8080", "mine.localhost:8080"),
    ],
)
def test_a_page_of_ours_has_the_same_origin(origin: str, host: str) -> None:
    assert is_same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "jobs.example.com"),
        ("https://sibling.example.com", "jobs.example.com"),
        ("https://jobs.example.com:8443", "jobs.example.com"),
        ("https://jobs.example.com.evil.example", "jobs.example.com"),
        ("http://jobs.example.com", "jobs.example.com"),
        ("http://127.0.0.1:9999", "127.0.0.1:8080"),
        ("http://localhost:8080", "127.0.0.1:8080"),
        ("null", "jobs.example.com"),
        ("", "jobs.example.com"),
        ("https://jobs.example.com@evil.example", "jobs.example.com"),
        ("https://jobs.example.com/", "jobs.example.com"),
        ("ftp://jobs.example.com", "jobs.example.com"),
        ("https://", "jobs.example.com"),
        ("https://[broken", "jobs.example.com"),
        ("chrome-extension://jobs.example.com", "jobs.example.com"),
        ("https://jobs.example.com", ""),
    ],
)
def test_threat_03_another_name_port_or_scheme_is_another_origin(origin: str, host: str) -> None:
    assert not is_same_origin(origin, host)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("jobs.example.com", "https://jobs.example.com"),
        ("jobs.example.com:8443", "https://jobs.example.com:8443"),
        ("localhost:8080", "http://localhost:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("mine.localhost:1", "http://mine.localhost:1"),
    ],
)
def test_the_address_of_the_server_has_tls_except_on_loopback(host: str, address: str) -> None:
    assert root_address(host) == address
