"""Read ConfigMaps and Secrets for a job. A failure names the object and its remedy; no message holds a value."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Protocol

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError

ATTEMPTS, SECONDS = 10, 45.0
"""Tries, and the time for them, before a job fails for what it has to read: a job can be submitted again, and other jobs wait for the daemon."""


class Reader(Protocol):
    """The part of the client that inputs need."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read one object."""


class Secrets:
    """The Secrets of one namespace, each read once. Failures are UnpreparedErrors with the given reason."""

    def __init__(self, reader: Reader, namespace: str, reason: EndReason) -> None:
        self._reader = reader
        self.namespace = namespace
        self._reason = reason
        self._read: dict[str, Mapping[str, str]] = {}

    async def keys(self, secret: str, purpose: str) -> list[str]:
        """Return the sorted keys of a Secret; `purpose` names for messages what they are read for."""
        return sorted(await self._data(secret, purpose))

    async def value(self, secret: str, key: str, purpose: str) -> str:
        """Return the text of a Secret's key."""
        data = await self._data(secret, purpose)
        where = f"Secret {secret} in namespace {self.namespace}"
        if key not in data:
            raise UnpreparedError(self._reason, f"{where} has no key {key} for {purpose}. Add it to the Secret.")
        try:
            return base64.b64decode(data[key]).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise UnpreparedError(
                self._reason,
                f"Key {key} of {where}, for {purpose}, is not UTF-8 text. Encode it as text.",
            ) from None

    async def _data(self, secret: str, purpose: str) -> Mapping[str, str]:
        if secret not in self._read:
            label = f"Secret {secret} in namespace {self.namespace}, for {purpose},"
            body = await read_object(self._reader, paths.secret(self.namespace, secret), label, self._reason)
            self._read[secret] = body.get("data") or {}
        return self._read[secret]


async def read_object(reader: Reader, path: str, label: str, reason: EndReason) -> dict[str, Any]:
    """Return one object. Raises UnpreparedError with the reason; `label` begins the message."""
    try:
        return await until_answered(lambda: reader.get(path), attempts=ATTEMPTS, seconds=SECONDS)
    except NotFoundError:
        raise UnpreparedError(reason, f"{label} does not exist. Create it, then submit the job again.") from None
    except ForbiddenError:
        raise UnpreparedError(
            reason,
            f"{label} may not be read by the daemon. Grant its ServiceAccount `get` on it, then submit the job again.",
        ) from None
    except KubeError as error:
        raise UnpreparedError(reason, f"{label} could not be read: {error}. Submit the job again.") from None
