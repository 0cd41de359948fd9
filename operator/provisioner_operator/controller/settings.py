"""The controller's settings, read from the environment (`PROVISIONER_OPERATOR_…`) and the command line."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _is_namespace(name: str) -> str:
    if not _NAMESPACE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a namespace: at most 63 small letters, digits and hyphens within")
    return name


def _listed(value: object) -> object:
    """In the environment, names are separated by commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """How this process finds its cluster and serves its own endpoints. Rules of the product are not settings."""

    model_config = SettingsConfigDict(env_prefix="PROVISIONER_OPERATOR_", frozen=True, use_attribute_docstrings=True)

    kubeconfig: Path | None = None
    """The cluster to serve; else `KUBECONFIG`, else the Pod's ServiceAccount."""
    namespaces: Annotated[
        tuple[Annotated[str, AfterValidator(_is_namespace)], ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    """Serve only these namespaces, separated by commas; all when empty."""
    lease_namespace: Annotated[str, AfterValidator(_is_namespace)] | None = None
    """Elect a leader by the Lease `provisioner-operator` of this namespace; when absent this process leads alone."""
    daemon_image: str | None = None
    """The image of pools' daemons where a pool names none; else that of the Pod that this process runs in."""
    http_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the Pod
    """Where /healthz, /readyz and /metrics listen."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Their port; 0 picks a free one, which the log names."""
    writers: Annotated[int, Field(ge=1, le=256)] = 32
    """How many API writes may be under way at a time; fewer are while the API server says that it is busy."""
    log_format: Annotated[str, Field(pattern="^(json|text)$")] = "json"
    """One JSON object a line, or plain text."""
