"""Credentials from an exec plugin that the kubeconfig names, by kubectl's protocol.

pykube-ng supports only alpha and beta plugins and runs them before every request. Here the plugin runs once, and its
credentials replace the exec section.
"""

import base64
import json
import os
import subprocess
import sys
from typing import Any

from provisioner_operator.cli.api.kubeconfig import Access
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.kube.kubeconfig import Document

_API_GROUP = "client.authentication.k8s.io/"


def with_credentials(access: Access) -> Access:
    """Return the access with the credentials of its exec plugin in place of the plugin. Raises UsageError."""
    users = access.document["users"]
    details: Document = (users[0].get("user") or {}) if users else {}
    plugin = details.get("exec")
    if not plugin:
        return access
    status = _run(plugin, access)
    given = {key: value for key, value in details.items() if key != "exec"}
    if status.get("token"):
        given["token"] = status["token"]
    if status.get("clientCertificateData") and status.get("clientKeyData"):
        given["client-certificate-data"] = _encoded(status["clientCertificateData"])
        given["client-key-data"] = _encoded(status["clientKeyData"])
    document = access.document | {"users": [users[0] | {"user": given}]}
    return Access(document, access.server, access.namespace, access.source)


def _run(plugin: Document, access: Access) -> dict[str, Any]:
    command = plugin.get("command") or ""
    environment = os.environ | {each["name"]: each["value"] for each in plugin.get("env") or ()}
    info: Document = {
        "apiVersion": plugin.get("apiVersion") or f"{_API_GROUP}v1",
        "kind": "ExecCredential",
        "spec": {"interactive": sys.stdin.isatty()},
    }
    if plugin.get("provideClusterInfo"):
        info["spec"]["cluster"] = access.document["clusters"][0]["cluster"]
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(info)
    try:
        done = subprocess.run(
            [command, *(plugin.get("args") or ())], check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        status = json.loads(done.stdout)["status"]
    except FileNotFoundError as error:
        hint = f" {plugin['installHint']}" if plugin.get("installHint") else ""
        raise UsageError(
            f"The credential plugin {command!r} of the kubeconfig {access.source} is not installed.{hint}"
        ) from error
    except subprocess.CalledProcessError as error:
        raise UsageError(
            f"The credential plugin {command!r} failed with exit code {error.returncode}: run it by hand to see why."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"The credential plugin {command!r} printed no credentials: {error}") from error
    if not isinstance(status, dict):
        raise UsageError(f"The credential plugin {command!r} printed no credentials.")
    return status


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
