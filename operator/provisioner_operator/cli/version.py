"""`version`: versions of this program, the API server, the product's API and the daemons."""

import sys
from collections import Counter

import orjson

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.cli.errors import CliError, NotFoundError
from provisioner_operator.cli.output.plurals import counted
from provisioner_operator.cli.session import Session
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import daemon_report


def print_versions(session: Session, *, client_only: bool, as_json: bool) -> None:
    """Print the versions. Raises CliError when the API server does not answer, unless only the client's is wanted."""
    document: dict[str, object] = {"client": __version__}
    daemons: dict[str, int] = {}
    if not client_only:
        daemons = _daemons(session)
        document["server"] = session.cluster.get("/version").get("gitVersion")
        document["api"] = _api(session)
        document["daemons"] = daemons
    if as_json:
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    sys.stdout.write(f"provisioner {__version__}\n")
    if client_only:
        return
    sys.stdout.write(f"Kubernetes {document['server']}\n{document['api'] or f'{API_VERSION} is not installed'}\n")
    for version, count in daemons.items():
        sys.stdout.write(f"{counted(count, 'daemon')} {version}\n")


def _api(session: Session) -> str | None:
    try:
        return str(session.cluster.get(f"/apis/{API_VERSION}")["groupVersion"])
    except NotFoundError:
        return None


def _daemons(session: Session) -> dict[str, int]:
    """Count the daemons of each version; empty if they cannot be listed."""
    try:
        bodies = session.cluster.list(paths.daemons(session.namespace))
    except CliError:
        return {}
    return dict(sorted(Counter(daemon_report(body).version or "unknown" for body in bodies).items()))
