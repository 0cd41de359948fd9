"""What a job's run is made of, read from the API server when it starts: files, variables, and which values are secret.

Used by the provisioners. What is missing is named with its remedy; no message holds a value.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import stamina

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.inputs import GitSource, Variable
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.git.request import Credentials, FetchError, GitRequest
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import PASSING, ForbiddenError, KubeError, NotFoundError

TOKEN_USERNAME = "git"  # noqa: S105 - a name, no password
"""Who logs in with a token: git servers that take one look at the password alone, but want some username."""
LONGEST_CREDENTIAL = 16_384
"""Characters: far longer than any token, and short enough for a program's environment."""
LONGEST_VARIABLE = 120_000
"""Bytes of one value: a program's environment takes 128 KiB of one variable (Linux's MAX_ARG_STRLEN), name included."""


class Reader(Protocol):
    """The part of the client that inputs need."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name, and those of them that came from Secrets."""

    values: Mapping[str, str]
    secrets: tuple[str, ...] = field(default=(), repr=False)


async def read_files(reader: Reader, job: ProvisionerJob) -> Mapping[str, bytes]:
    """Return the job's files by name. Raises UnpreparedError (SourceUnavailable)."""
    source = job.spec.source
    if source is None:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, "The job has no source. Submit it with spec.source.")
    if source.inline is not None:
        files = {name: text.encode() for name, text in source.inline.files.items()}
    elif source.config_map_ref is not None:
        name, namespace = source.config_map_ref.name, job.metadata.namespace
        what = f"ConfigMap {name} in namespace {namespace}, the job's source,"
        body = await _read(reader, paths.config_map(namespace, name), what, EndReason.SOURCE_UNAVAILABLE)
        files = {key: text.encode() for key, text in (body.get("data") or {}).items()}
        files |= {key: base64.b64decode(data) for key, data in (body.get("binaryData") or {}).items()}
        if not files:
            raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, f"{what} is empty. Put the Terraform files into it.")
    else:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, "The job's source names neither files nor a ConfigMap.")
    for name in files:
        if "/" in name or "\0" in name or name in {"", ".", ".."}:
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE, f"{name!r} is not a file name without a folder. Rename it."
            )
    return files


async def read_git_request(reader: Reader, job: ProvisionerJob, source: GitSource) -> GitRequest:
    """Return what is to be fetched for the job, with the credentials. Raises UnpreparedError (SourceUnavailable)."""
    credentials = None
    if source.secret_ref is not None:
        credentials = await _read_credentials(reader, job.metadata.namespace, source.secret_ref.name)
    request = GitRequest(source.url, source.ref, source.commit, source.path, credentials)
    try:
        request.check()
    except FetchError as error:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, str(error)) from None
    return request


async def _read_credentials(reader: Reader, namespace: str, secret: str) -> Credentials:
    secrets = _Secrets(reader, namespace, EndReason.SOURCE_UNAVAILABLE)
    what = "the login at the git server"

    async def value(key: str) -> str:
        # Editors and `echo` end what they write with a line break, which no credential has.
        text = (await secrets.value(secret, key, what)).rstrip("\r\n")
        if len(text) > LONGEST_CREDENTIAL:
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE,
                f"Key {key} of Secret {secret} in namespace {namespace} exceeds {LONGEST_CREDENTIAL} characters. "
                "Put username and password, or a token, into it.",
            )
        return text

    keys = await secrets.keys(secret, what)
    if "token" in keys and "password" not in keys:
        return Credentials(secret, TOKEN_USERNAME, await value("token"))
    return Credentials(secret, await value("username"), await value("password"))


async def read_variables(reader: Reader, job: ProvisionerJob) -> Variables:
    """Return the job's variables. Raises UnpreparedError (VariableUnavailable)."""
    secrets = _Secrets(reader, job.metadata.namespace, EndReason.VARIABLE_UNAVAILABLE)
    values: dict[str, str] = {}
    hidden: dict[str, str] = {}
    for source in job.spec.variables_from:
        for key in await secrets.keys(source.secret_ref.name, "variables"):
            values[key] = hidden[key] = await secrets.value(source.secret_ref.name, key, f"variable {key}")
    for variable in job.spec.variables:
        values[variable.name] = await _value(secrets, variable)
        hidden.pop(variable.name, None)
        if variable.value_from is not None:
            hidden[variable.name] = values[variable.name]
    for name, value in values.items():
        if "\0" in value or len(value.encode()) > LONGEST_VARIABLE:
            raise UnpreparedError(
                EndReason.VARIABLE_UNAVAILABLE,
                f"The value of variable {name} cannot be passed to a program: it holds a NUL or exceeds "
                f"{LONGEST_VARIABLE} bytes. Put large or binary content into a file of the source.",
            )
    return Variables(values, tuple(hidden.values()))


async def _value(secrets: "_Secrets", variable: Variable) -> str:
    if variable.value_from is None:
        return variable.value or ""
    selector = variable.value_from.secret_key_ref
    return await secrets.value(selector.name, selector.key, f"variable {variable.name}")


class _Secrets:
    """The Secrets of one namespace, each read once."""

    def __init__(self, reader: Reader, namespace: str, reason: EndReason) -> None:
        self._reader = reader
        self._namespace = namespace
        self._reason = reason
        self._read: dict[str, Mapping[str, str]] = {}

    async def keys(self, secret: str, what: str) -> list[str]:
        return sorted(await self._data(secret, what))

    async def value(self, secret: str, key: str, what: str) -> str:
        data = await self._data(secret, what)
        where = f"Secret {secret} in namespace {self._namespace}"
        if key not in data:
            raise UnpreparedError(self._reason, f"{where} has no key {key} for {what}. Add it to the Secret.")
        try:
            return base64.b64decode(data[key]).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise UnpreparedError(
                self._reason,
                f"Key {key} of {where}, for {what}, is not UTF-8 text. Encode it as text.",
            ) from None

    async def _data(self, secret: str, what: str) -> Mapping[str, str]:
        if secret not in self._read:
            label = f"Secret {secret} in namespace {self._namespace}, for {what},"
            body = await _read(self._reader, paths.secret(self._namespace, secret), label, self._reason)
            self._read[secret] = body.get("data") or {}
        return self._read[secret]


async def _read(reader: Reader, path: str, what: str, reason: EndReason) -> dict[str, Any]:
    try:
        async for attempt in stamina.retry_context(on=PASSING):
            with attempt:
                return await reader.get(path)
    except NotFoundError:
        raise UnpreparedError(reason, f"{what} does not exist. Create it, then submit the job again.") from None
    except ForbiddenError:
        raise UnpreparedError(
            reason,
            f"{what} may not be read by the daemon. Grant its ServiceAccount `get` on it, then submit the job again.",
        ) from None
    except KubeError as error:
        raise UnpreparedError(reason, f"{what} could not be read: {error}. Submit the job again.") from None
    raise AssertionError("stamina yields at least one attempt")
