"""Read logins from Secrets: at the git server of a job's source, and at the hosts of its private modules.

Used by `source` and by the provisioners.
"""

from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.git.request import Credentials
from provisioner_operator.daemon.inputs.objects import Reader, Secrets

TOKEN_USERNAME = "git"  # noqa: S105 - a name, no password
"""The username for a token: git servers that take one check the password alone, but want some username."""
LONGEST_CREDENTIAL = 16_384
"""Characters: far longer than any token, and short enough for a program's environment."""


@dataclass(frozen=True, slots=True)
class Login:
    """The content of one Secret."""

    credentials: Credentials
    token: str | None = field(default=None, repr=False)
    """The token, if the Secret has one; beside username and password it is for registries alone."""


@dataclass(frozen=True, slots=True)
class HostLogin:
    """A login, and the host for which it is."""

    host: str
    """Host and port; without a port it is 443."""
    login: Login


async def read_module_logins(reader: Reader, job: ProvisionerJob) -> list[HostLogin]:
    """Return the logins for the job's modules. Raises UnpreparedError (SourceUnavailable)."""
    secrets = Secrets(reader, job.metadata.namespace, EndReason.SOURCE_UNAVAILABLE)
    found = []
    for each in job.spec.module_credentials:
        name = each.secret_ref.name
        login = await read_login(secrets, name, f"the login at {each.host}")
        given = (login.credentials.username, login.credentials.password, login.token or "")
        if any(not text.isprintable() or " " in text for text in given):
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE,
                f"Secret {name} in namespace {job.metadata.namespace}, for the login at {each.host}, has a value with a space or "
                "a control character, which the file of logins for Terraform (.netrc) cannot hold. Choose another password.",
            )
        found.append(HostLogin(each.host, login))
    return found


async def read_login(secrets: Secrets, secret: str, purpose: str) -> Login:
    """Return the login that a Secret holds; `purpose` names for messages what it is for. Raises UnpreparedError."""

    async def value(key: str) -> str:
        # Editors and `echo` end what they write with a line break, which no credential has.
        text = (await secrets.value(secret, key, purpose)).rstrip("\r\n")
        if len(text) > LONGEST_CREDENTIAL:
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE,
                f"Key {key} of Secret {secret} in namespace {secrets.namespace} exceeds {LONGEST_CREDENTIAL} characters. "
                "Put username and password, or a token, into it.",
            )
        return text

    keys = await secrets.keys(secret, purpose)
    token = await value("token") if "token" in keys else None
    if token is not None and "password" not in keys:
        return Login(Credentials(secret, TOKEN_USERNAME, token), token)
    return Login(Credentials(secret, await value("username"), await value("password")), token)
