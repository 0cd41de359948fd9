"""The cluster and the credential of this process, from a kubeconfig or from the Pod's ServiceAccount.

Called by `connect`. Opens no connection, and runs no credential plugin: `credential` does.
"""

import base64
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import aiohttp

from provisioner_operator.kube.exec_plugin import ExecPlugin, plugin_of
from provisioner_operator.kube.kubeconfig import Document, KubeconfigError, merged, read

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Pem = Path | str
"""A file in PEM format, or the content of one."""


class LoginError(Exception):
    """There is no cluster to connect to, or no way to log in; the message says what to check."""


@dataclass(frozen=True, slots=True)
class Server:
    """An API server: its address, and how it proves who it is. Nothing here identifies anybody to it."""

    url: str
    authority: Pem | None = None
    """Authority that has signed its certificate; None if it is one that the system trusts."""
    is_verified: bool = True
    proxy: str | None = None
    """URL of the proxy through which it is reached."""

    def tls(self, certificate: tuple[Pem, Pem] | None = None) -> ssl.SSLContext:
        """Return what a session needs, with or without a client certificate. Raises LoginError."""
        with _naming(self.url):
            if isinstance(self.authority, Path):
                context = ssl.create_default_context(cafile=self.authority)
            else:
                context = ssl.create_default_context(cadata=self.authority)
        if not self.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate is not None:
            chain, key = certificate
            with _naming(self.url), _file_of(chain) as chain_file, _file_of(key) as key_file:
                context.load_cert_chain(chain_file, key_file)
        return context


@dataclass(frozen=True, slots=True)
class Chosen:
    """The entries of a kubeconfig that its current context chose when the process started."""

    files: tuple[Path, ...]
    cluster: Document
    user: Document
    user_name: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """An API server, and the credential of this process for it."""

    server: Server
    authorization: str | None = field(default=None, repr=False)
    """Value of the header, where it stays the same."""
    token_file: Path | None = None
    """File with a token that is replaced while the process runs."""
    certificate: tuple[Pem, Pem] | None = field(default=None, repr=False)
    """Client certificate and its key."""
    plugin: ExecPlugin | None = None
    """Plugin that gives token or certificate."""
    chosen: Chosen | None = field(default=None, repr=False, compare=False)
    """The entries of the kubeconfig; None in a Pod without one."""


def find_login(kubeconfig: Path | None, environment: Mapping[str, str]) -> Login:
    """Read the given kubeconfig, else those of `KUBECONFIG`, else the Pod's ServiceAccount. Raises LoginError.

    Never `~/.kube/config`, so that no process serves whichever cluster a user's current context happens to name.
    """
    if files := kubeconfig_files(kubeconfig, environment):
        return _of_kubeconfig(files)
    if (SERVICE_ACCOUNT / "token").is_file():
        return _of_service_account(environment)
    raise LoginError(
        "No cluster given: pass --kubeconfig PATH, or set KUBECONFIG, or run in a Pod with a ServiceAccount token."
    )


def reread(login: Login) -> Login:
    """Return the login with the user as the kubeconfig describes it now. Raises LoginError.

    The user of the same name, at the same server, whatever context is current by now.
    """
    chosen = login.chosen
    if chosen is None or chosen.user_name is None:
        return login
    with _naming_files(chosen.files):
        document = merged((path, read(path)) for path in chosen.files)
        user = _named(document, "user", chosen.user_name)
        return replace(_login(chosen.cluster, user), chosen=replace(chosen, user=user))


def kubeconfig_files(given: Path | None, environment: Mapping[str, str]) -> list[Path]:
    """Return the given kubeconfig, else those of `KUBECONFIG`."""
    if given is not None:
        return [given]
    named = [part.strip() for part in environment.get("KUBECONFIG", "").split(os.pathsep)]
    return [Path(part).expanduser() for part in named if part]


def _of_service_account(environment: Mapping[str, str]) -> Login:
    authority = SERVICE_ACCOUNT / "ca.crt"
    # The address that kubelet puts into a Pod's environment instead of a name, so that DNS cannot fail.
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]:{port}" if host and ":" in host else f"{host}:{port}"
    url = f"https://{address}" if host else "https://kubernetes.default.svc"
    return Login(Server(url, authority if authority.is_file() else None), token_file=SERVICE_ACCOUNT / "token")


def _of_kubeconfig(files: Sequence[Path]) -> Login:
    with _naming_files(files):
        document = merged((path, read(path)) for path in files)
        context = _named(document, "context", document["current-context"])
        name = context.get("user")
        user = _named(document, "user", name) if name else {}
        cluster = _named(document, "cluster", context.get("cluster"))
        return replace(_login(cluster, user), chosen=Chosen(tuple(files), cluster, user, name))


@contextmanager
def _naming_files(files: Sequence[Path]) -> Iterator[None]:
    """Turn what is wrong with a kubeconfig into a LoginError that names its files."""
    try:
        yield
    except KubeconfigError as error:
        raise LoginError(str(error)) from error
    except (ValueError, OSError) as error:
        paths = os.pathsep.join(map(str, files))
        raise LoginError(f"Cannot log in with the kubeconfig {paths}: {error}. Check its current context.") from error


def _named(document: Document, kind: str, name: str | None) -> Document:
    for entry in document[f"{kind}s"]:
        if entry["name"] == name:
            details = entry.get(kind) or {}
            if not isinstance(details, dict):
                raise ValueError(f"its {kind} {name!r} is no mapping")
            return details
    raise ValueError(f"it defines no {kind} {name!r}" if name else f"it chooses no {kind}")


def _login(cluster: Document, user: Document) -> Login:
    if not cluster.get("server"):
        raise ValueError("its cluster has no server")
    unverified = cluster.get("insecure-skip-tls-verify") or False
    if not isinstance(unverified, bool):
        raise ValueError(  # noqa: TRY004 - of a file's content
            f"its insecure-skip-tls-verify is {unverified!r}, neither true nor false"
        )
    server = Server(str(cluster["server"]), _pem(cluster, "certificate-authority"), not unverified, _proxy(cluster))
    chain, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    certificate = None if chain is None or key is None else (chain, key)
    # As in client-go: the file before the token.
    if user.get("tokenFile"):
        return Login(server, token_file=_present(Path(user["tokenFile"])), certificate=certificate)
    authorization = _authorization(user)
    if authorization is None and certificate is None:
        if user.get("exec"):
            return Login(server, plugin=plugin_of(user["exec"], cluster))
        if user.get("auth-provider"):
            raise ValueError(
                "its user has an auth-provider, which servers do not run: give exec, a token or a tokenFile"
            )
    return Login(server, authorization, certificate=certificate)


def _proxy(cluster: Document) -> str | None:
    proxy = cluster.get("proxy-url")
    if proxy and not str(proxy).startswith(("http://", "https://")):
        # Not shown: it may hold a password.
        raise ValueError("its proxy-url begins neither with http:// nor https://")
    return str(proxy) if proxy else None


def _authorization(user: Document) -> str | None:
    if user.get("token"):
        return f"Bearer {user['token']}"
    if user.get("username") and user.get("password"):
        return aiohttp.encode_basic_auth(user["username"], user["password"])
    return None


def _present(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no token file {path}")
    return path


def _pem(details: Mapping[str, Any], field: str) -> Pem | None:
    """Return the content of a field, or the file that it names. Raises ValueError."""
    try:
        if data := details.get(f"{field}-data"):
            # It may be wrapped over several lines.
            return base64.b64decode("".join(str(data).split()), validate=True).decode("ascii")
    except ValueError as error:
        raise ValueError(f"its {field}-data is not a file in PEM format, encoded with base64") from error
    return Path(str(details[field])) if details.get(field) else None


@contextmanager
def _file_of(pem: Pem) -> Iterator[str]:
    """Name a file with this content: Python loads client certificates from nowhere else."""
    if isinstance(pem, Path):
        # No other file is made without need: a Pod's may be read-only.
        yield str(pem)
        return
    with NamedTemporaryFile(buffering=0) as file:
        file.write(pem.encode("ascii"))
        yield file.name


@contextmanager
def _naming(url: str) -> Iterator[None]:
    """Turn the error of a missing or damaged file into a LoginError that names the server."""
    try:
        yield
    except OSError as error:
        raise LoginError(f"The certificates for {url} cannot be used: {error}") from error
