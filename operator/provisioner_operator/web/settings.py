"""The web server's settings, from the environment (`PROVISIONER_WEB_…`) and the command line."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _listed(value: object) -> object:
    """Split the names that the environment separates by commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """The cluster to show, the address of this server, its defenses and its log."""

    model_config = SettingsConfigDict(env_prefix="PROVISIONER_WEB_", frozen=True, use_attribute_docstrings=True)

    kubeconfig: Path | None = None
    """The cluster to show; else `KUBECONFIG`, else the Pod's ServiceAccount."""
    namespaces: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Show only these namespaces, separated by commas; all when empty."""
    http_host: str = ""
    """The address to listen on; if empty, all of IPv4 and IPv6."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port to listen on; 0 picks a free one, which the log names."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """The port of /metrics for Prometheus, at the same address; 0 picks a free one. Without it, there are no metrics."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Host names under which browsers and clients reach this server, separated by commas, without ports. Loopback
    addresses are always allowed; every other name is refused."""
    read_only: bool = False
    """Refuse every request that changes something."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 512
    """Requests that a user may send in a minute, and so may each token."""
    logins_per_minute: Annotated[int, Field(ge=1)] = 30
    """Login attempts from one address in a minute."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Networks of proxies in front of this server, such as 10.0.0.0/8, separated by commas: their header
    X-Forwarded-For tells the address by which attempts are counted. Without it, all users of a proxy share one."""
    streams_per_user: Annotated[int, Field(ge=1)] = 16
    """Live streams that a user may have open at a time."""
    log_format: Annotated[str, Field(pattern="^(json|text)$")] = "json"
    """`json` for one JSON object per line, or `text`."""
