"""Become the web server: a program of its own, which this one does not import, since few install what it needs."""

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

from provisioner_operator.cli.api.kubeconfig import files_to_read
from provisioner_operator.cli.errors import require
from provisioner_operator.cli.session import Session

_MODULE = "provisioner_operator.web"
_NEEDED = "fastapi"
"""A package that only the web server needs."""


def start(session: Session, *, port: int, read_only: bool) -> NoReturn:
    """Replace this process by the web server. Raises UsageError."""
    require(find_spec(_NEEDED), "The web server is not installed: pip install 'provisioner-operator[web]'.")
    command = [sys.executable, "-m", _MODULE, *arguments(session, port=port, read_only=read_only)]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606 - a program of ours, without a shell


def arguments(session: Session, *, port: int, read_only: bool) -> Sequence[str]:
    """Return the server's arguments for the cluster, the context and the namespace of this command. Raises UsageError."""
    # Before the other program starts: it chooses by the same rules, but explains less.
    document = session.access.document
    users = [user.get("user") or {} for user in document["users"]]
    require(
        not any(user.get("as") for user in users),
        "The web server cannot impersonate: use a context without `as` in its user.",
    )
    files = os.pathsep.join(str(path) for path in files_to_read(session.choice, os.environ))
    namespace = session.choice.namespace
    return [
        "local",
        f"--kubeconfig={files}",
        f"--context={document['current-context']}",
        f"--port={port}",
        *([f"--namespace={namespace}"] if namespace else []),
        *(["--read-only"] if read_only else []),
    ]
