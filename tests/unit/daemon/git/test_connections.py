"""The choice of a proxy from the environment, without any connection."""

import os

import pytest
import urllib3

from provisioner_operator.daemon.git.connections import open_pool
from provisioner_operator.daemon.git.request import FetchError, GitRequest, Limits

HTTPS, HTTP = "https://git.test/a.git", "http://git.test/a.git"
PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def pool(monkeypatch: pytest.MonkeyPatch, url: str, **environment: str) -> urllib3.PoolManager:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_pool(GitRequest(url, limits=Limits(silent_seconds=7.0)))


def proxy_of(pool: urllib3.PoolManager) -> str | None:
    return None if pool.proxy is None else pool.proxy.url


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"HTTPS_PROXY": PROXY}, PROXY),
        (HTTPS, {"https_proxy": PROXY}, PROXY),
        (HTTPS, {"HTTP_PROXY": PROXY}, None),
        (HTTP, {"http_proxy": PROXY}, PROXY),
        (HTTP, {"HTTPS_PROXY": PROXY}, None),
        (HTTPS, {"HTTPS_PROXY": "proxy.test:3128"}, PROXY),
        (HTTPS, {"HTTPS_PROXY": "http://ann:secret@proxy.test:3128"}, PROXY),
        (HTTPS, {"HTTPS_PROXY": PROXY, "NO_PROXY": "git.test"}, None),
        (HTTPS, {"HTTPS_PROXY": PROXY, "no_proxy": "other.test, .test"}, None),
        (HTTPS, {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.test"}, PROXY),
        ("https://git.test:8443/a.git", {"HTTPS_PROXY": PROXY, "NO_PROXY": "git.test:8443"}, None),
        ("https://git.test:8443/a.git", {"HTTPS_PROXY": PROXY, "NO_PROXY": "git.test:443"}, PROXY),
        (HTTPS, {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("https://localhost/a.git", {"HTTPS_PROXY": PROXY}, None),
        ("https://127.0.0.1:8443/a.git", {"HTTPS_PROXY": PROXY}, None),
        ("https://127.9.9.9/a.git", {"HTTPS_PROXY": PROXY}, None),
        ("https://[::1]/a.git", {"HTTPS_PROXY": PROXY}, None),
        ("https://10.0.0.1/a.git", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://localhost.test/a.git", {"HTTPS_PROXY": PROXY}, PROXY),
    ],
)
def test_the_proxy_is_the_one_that_terraform_would_take(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], proxy: str | None
) -> None:
    assert proxy_of(pool(monkeypatch, url, **environment)) == proxy


@pytest.mark.parametrize("environment", [{}, {"HTTPS_PROXY": PROXY}])
def test_certificates_are_checked_and_waits_are_limited(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    settings = pool(monkeypatch, HTTPS, **environment).connection_pool_kw
    assert settings["cert_reqs"] == "CERT_REQUIRED"
    assert (settings["timeout"].connect_timeout, settings["timeout"].read_timeout) == (7.0, 7.0)


@pytest.mark.parametrize(
    ("proxy", "login"),
    [
        (PROXY, {}),
        ("http://ann:secret@proxy.test", {"proxy-authorization": "Basic YW5uOnNlY3JldA=="}),
        ("http://ann@proxy.test", {"proxy-authorization": "Basic YW5uOg=="}),
    ],
)
def test_the_proxys_login_comes_from_its_url(
    monkeypatch: pytest.MonkeyPatch, proxy: str, login: dict[str, str]
) -> None:
    found = pool(monkeypatch, HTTPS, HTTPS_PROXY=proxy)
    assert isinstance(found, urllib3.ProxyManager)
    assert dict(found.proxy_headers) == login


def test_a_proxy_of_another_kind_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FetchError, match=r"The daemon's proxy cannot be used .*Correct its HTTPS_PROXY\."):
        pool(monkeypatch, HTTPS, HTTPS_PROXY="socks5://proxy.test:1080")
