"""Credentials from an exec plugin that the kubeconfig names, by kubectl's protocol.

pykube-ng supports only alpha and beta plugins and runs them before every request. Here the plugin runs once, and its
credentials replace the exec section.
"""

import base64
import os
import subprocess
import sys
from typing import Any

from provisioner_operator.cli.api.kubeconfig import Access
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.kube.exec_plugin import ExecPlugin, Given, PluginError, plugin_of


def with_credentials(access: Access) -> Access:
    """Return the access with the credentials of its exec plugin in place of the plugin. Raises UsageError."""
    users = access.document["users"]
    details: dict[str, Any] = (users[0].get("user") or {}) if users else {}
    section = details.get("exec")
    if not section:
        return access
    try:
        cluster = access.document["clusters"][0].get("cluster") or {}
        status = _run(plugin_of(section, cluster, interactive=sys.stdin.isatty()))
    except (PluginError, ValueError, OSError) as error:
        raise UsageError(f"{error} (kubeconfig {access.source})") from error
    given = {key: value for key, value in details.items() if key != "exec"}
    if status.token:
        given["token"] = status.token
    if status.certificate:
        chain, key = status.certificate
        given["client-certificate-data"], given["client-key-data"] = _encoded(chain), _encoded(key)
    document = access.document | {"users": [users[0] | {"user": given}]}
    return Access(document, access.server, access.namespace, access.source)


def _run(plugin: ExecPlugin) -> Given:
    """Run the plugin with this terminal, on which it may ask."""
    try:
        done = subprocess.run(
            plugin.command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | plugin.environment
        )
    except subprocess.CalledProcessError as error:
        raise PluginError(
            f"{plugin.label} failed with exit code {error.returncode}: run it by hand to see why."
        ) from error
    except OSError as error:
        raise plugin.cannot_start(error) from error
    return plugin.parse(done.stdout)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
