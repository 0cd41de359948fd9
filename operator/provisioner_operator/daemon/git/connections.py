"""Open connections to a git server, through a proxy if the environment names one. Used by `transport`.

The environment is read as Terraform reads it, so that both reach the same servers.
"""

import ipaddress
import urllib.request
from urllib.parse import SplitResult, urlsplit

import urllib3

from provisioner_operator.daemon.git.request import FetchError, GitRequest


def open_pool(request: GitRequest) -> urllib3.PoolManager:
    """Return the pool of connections for the request's server. Raises FetchError if the proxy cannot be used."""
    target = urlsplit(request.url)
    timeout = urllib3.Timeout(connect=request.limits.silent_seconds, read=request.limits.silent_seconds)
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(target.scheme)
    if proxy is None or _is_loopback(target.hostname) or _bypasses_proxy(target, proxies):
        return urllib3.PoolManager(timeout=timeout, cert_reqs="CERT_REQUIRED")
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = None
    if parts.username is not None:
        login = urllib3.make_headers(proxy_basic_auth=f"{parts.username}:{parts.password or ''}")
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        return urllib3.ProxyManager(address, proxy_headers=login, timeout=timeout, cert_reqs="CERT_REQUIRED")
    except urllib3.exceptions.HTTPError as error:
        raise FetchError(
            f"The daemon's proxy cannot be used ({error}). Correct its {target.scheme.upper()}_PROXY."
        ) from None


def _bypasses_proxy(target: SplitResult, proxies: dict[str, str]) -> bool:
    return bool(urllib.request.proxy_bypass_environment(target.netloc, proxies))  # type: ignore[attr-defined]


def _is_loopback(host: str | None) -> bool:
    """Return whether the host is this machine, which Go, and so Terraform, never reaches through a proxy."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
