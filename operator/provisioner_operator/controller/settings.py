"""The controller's settings, from the environment (`PROVISIONER_OPERATOR_…`) and the command line."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _is_namespace(name: str) -> str:
    if not _NAMESPACE.fullmatch(name):
        raise ValueError(
            f"{name!r} is not the name of a namespace: use at most 63 lower-case letters, digits and inner hyphens"
        )
    return name


def _listed(value: object) -> object:
    """Split the names that the environment separates by commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """The cluster to serve, the endpoints of this process, its leader election and its logs. Policies are not settings."""

    model_config = SettingsConfigDict(env_prefix="PROVISIONER_OPERATOR_", frozen=True, use_attribute_docstrings=True)

    kubeconfig: Path | None = None
    """The cluster to serve; else `KUBECONFIG`, else the Pod's ServiceAccount."""
    namespaces: Annotated[
        tuple[Annotated[str, AfterValidator(_is_namespace)], ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    """Serve only these namespaces, separated by commas; all when empty."""
    lease_namespace: Annotated[str, AfterValidator(_is_namespace)] | None = None
    """Elect a leader by the Lease `provisioner-operator` of this namespace; if absent, this process always leads."""
    daemon_image: str | None = None
    """The default image of pools' daemons; else the image of the Pod that this process runs in."""
    publish_supplies: bool = False
    """Keep a ProvisionerSupply in each namespace, for the warnings of `manifests/components/match-warnings`."""
    http_host: str = ""
    """The address on which /startupz, /healthz, /readyz and /metrics are served; if empty, all of IPv4 and IPv6."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port of these endpoints; 0 picks a free one, which the log names."""
    writers: Annotated[int, Field(ge=1, le=256)] = 32
    """The largest number of API writes under way at a time; it is lowered while the API server is too busy."""
    log_format: Annotated[str, Field(pattern="^(json|text)$")] = "json"
    """`json` for one JSON object per line, or `text`."""
