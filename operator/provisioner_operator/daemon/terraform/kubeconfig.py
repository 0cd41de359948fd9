"""Keep a kubeconfig for the backend of Terraform's state that always agrees with the daemon's own login. Used by `service`.

Terraform could not read the daemon's as the daemon does: it would run a credential plugin in the bare environment of a run, without
the home directory that the plugin needs, and it would read one file where `KUBECONFIG` names several. So the daemon writes what
it uses: the cluster, and token and certificate as files, which it replaces when they are renewed. Terraform reads these files
again while it runs.
"""

import json
import logging
from pathlib import Path

from provisioner_operator.kube.credential import Credential
from provisioner_operator.kube.kubeconfig import Document
from provisioner_operator.kube.login import Pem

logger = logging.getLogger(__name__)

_BEARER = "Bearer "
_NAME = "daemon"


class RunKubeconfig:
    """The kubeconfig in a private directory of the daemon."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = directory / "kubeconfig"

    def update(self, credential: Credential) -> None:
        """Write the credential as it is now."""
        chosen = credential.login.chosen
        cluster = {} if chosen is None else chosen.cluster
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": _NAME,
            "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
            "clusters": [{"name": _NAME, "cluster": cluster}],
        }
        try:
            user = self._write_user(credential)
            self._write(self.path, json.dumps(document | {"users": [{"name": _NAME, "user": user}]}))
        except OSError as error:
            logger.warning(
                "The kubeconfig for Terraform's state could not be written: %s. Check the daemon's disk.", error
            )

    def _write_user(self, credential: Credential) -> Document:
        user: Document = {}
        authorization, login = credential.authorization or "", credential.login
        if login.plugin is None and login.token_file is not None:
            user["tokenFile"] = str(login.token_file.absolute())
        elif authorization.startswith(_BEARER):
            user["tokenFile"] = str(self._write(self._directory / "token", authorization.removeprefix(_BEARER)))
        elif authorization and login.chosen is not None:
            user |= {name: login.chosen.user[name] for name in ("username", "password")}
        if credential.certificate is not None:
            user |= self._write_certificate(*credential.certificate)
        return user

    def _write_certificate(self, chain: Pem, key: Pem) -> Document:
        if isinstance(chain, Path) and isinstance(key, Path):
            return {"client-certificate": str(chain.absolute()), "client-key": str(key.absolute())}
        # One file for both, so that they are replaced together.
        text = "".join(each.read_text() if isinstance(each, Path) else f"{each.rstrip()}\n" for each in (chain, key))
        pair = str(self._write(self._directory / "client.pem", text))
        return {"client-certificate": pair, "client-key": pair}

    def _write(self, path: Path, text: str) -> Path:
        """Replace a file as a whole: Terraform may read it at any time."""
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(text)
        new.replace(path)
        return path
