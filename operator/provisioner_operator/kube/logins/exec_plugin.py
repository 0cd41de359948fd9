"""Run the credential plugin that a kubeconfig names, by kubectl's protocol (`client.authentication.k8s.io`).

Used by `credential`, and by the command line, which starts the plugin itself. Own code, because the official client
brings tens of megabytes with its one.
"""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from provisioner_operator.kube.logins.kubeconfig import Document

PLUGIN_SECONDS = 60.0
"""Time that a plugin may take: it may ask an identity provider, and then a cloud."""
_API_GROUP = "client.authentication.k8s.io/"
_CLUSTER_FIELDS = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url", "certificate-authority-data")
_EXTENSION = "client.authentication.k8s.io/exec"
_LONGEST_COMPLAINT = 500
"""Characters of a plugin's standard error in a message."""


class PluginError(Exception):
    """A plugin that gives no credential; the message names it, and what to do."""


@dataclass(frozen=True, slots=True)
class Given:
    """Credential that a plugin gave."""

    token: str | None = field(default=None, repr=False)
    certificate: tuple[str, str] | None = field(default=None, repr=False)
    """Client certificate and its key, in PEM format."""
    expires_at: float | None = None
    """Unix time after which it is of no use; None if it was not said."""


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A plugin as a user's entry describes it."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    """Variables beside those of this process."""
    hint: str = ""
    """Advice for a machine on which it is not installed."""

    async def run(self) -> Given:
        """Run it and return what it gives. Raises PluginError."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=os.environ | self.environment,
            )
        except OSError as error:
            raise self.cannot_start(error) from error
        try:
            async with asyncio.timeout(PLUGIN_SECONDS):
                output, complaint = await process.communicate()
        except TimeoutError:
            raise PluginError(f"{self.label} gave nothing for {PLUGIN_SECONDS:.0f} s. Run it by hand.") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            said = " ".join(complaint.decode(errors="replace").split())[-_LONGEST_COMPLAINT:]
            raise PluginError(f"{self.label} failed with exit code {process.returncode}: {said or 'it said nothing'}")
        return self.parse(output)

    @property
    def label(self) -> str:
        """Name for messages."""
        return f"The credential plugin {self.command[0]!r}"

    def cannot_start(self, error: OSError) -> PluginError:
        """Return the error for a plugin that could not be started."""
        if isinstance(error, FileNotFoundError):
            return PluginError(f"{self.label} is not installed. {self.hint}".rstrip())
        return PluginError(f"{self.label} cannot be run: {error.strerror}")

    def parse(self, output: bytes | str) -> Given:
        """Return the credential that it printed. Raises PluginError."""
        try:
            status = json.loads(output)["status"]
            token, chain, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
            expiry = status.get("expirationTimestamp")
            expires_at = None if expiry is None else datetime.fromisoformat(expiry).timestamp()
        except (ValueError, LookupError, TypeError, AttributeError):
            # Its output is not shown: part of it may be a credential.
            raise PluginError(f"{self.label} printed no credential. Run it by hand.") from None
        if not token and not (chain and key):
            raise PluginError(f"{self.label} printed neither a token nor a certificate with its key. Run it by hand.")
        certificate = (str(chain), str(key)) if chain and key else None
        return Given(str(token) if token else None, certificate, expires_at)


def plugin_of(section: Document, cluster: Document, *, interactive: bool = False) -> ExecPlugin:
    """Return the plugin of a user's `exec` section, to log in at the cluster. Raises ValueError."""
    command = section.get("command")
    if not command:
        raise ValueError("its user has a credential plugin without a command")
    if section.get("interactiveMode") == "Always" and not interactive:
        raise ValueError(f"its credential plugin {command!r} wants to ask somebody (interactiveMode: Always)")
    info: Document = {
        "apiVersion": section.get("apiVersion") or f"{_API_GROUP}v1",
        "kind": "ExecCredential",
        "spec": {"interactive": interactive},
    }
    if section.get("provideClusterInfo"):
        info["spec"]["cluster"] = _cluster_info(cluster)
    named = {str(each["name"]): str(each["value"]) for each in section.get("env") or ()}
    arguments = (str(each) for each in section.get("args") or ())
    return ExecPlugin(
        (str(command), *arguments),
        named | {"KUBERNETES_EXEC_INFO": json.dumps(info)},
        str(section.get("installHint") or ""),
    )


def _cluster_info(cluster: Document) -> Document:
    info = {name: cluster[name] for name in _CLUSTER_FIELDS if cluster.get(name)}
    if authority := cluster.get("certificate-authority"):
        info.setdefault("certificate-authority-data", base64.b64encode(Path(authority).read_bytes()).decode())
    for each in cluster.get("extensions") or ():
        if each.get("name") == _EXTENSION:
            info["config"] = each.get("extension")
    return info
