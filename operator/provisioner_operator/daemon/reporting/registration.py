"""Register the daemon's process: find, create or update its ProvisionerDaemon from the flags.

Run once at the start. A daemon that comes back under its old name keeps its counts and replaces its tags. A daemon in a
Pod does not register itself: the controller creates its object from the Pod's annotations, and the daemon waits for that.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.daemon import DaemonSpec, ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import API_VERSION, DAEMONS, GROUP
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    PASSING,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)

logger = logging.getLogger(__name__)

AWAIT_CONTROLLER_SECONDS = 1.0
"""The pause between two looks of a daemon in a Pod whether it is registered."""
AWAIT_DELETION_SECONDS = 10.0
"""The pause between two looks whether a former object of the daemon's name is gone."""
REMIND_SECONDS = 30.0
"""The pause between two log messages that it still waits."""


RequirePrograms = Callable[[Sequence[Provisioner]], None]
"""Raises an error unless the daemon has the programs of these provisioners."""


class RegistrationError(Exception):
    """The daemon cannot be registered; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The fields of the daemon's spec that the command line sets; None leaves a field as it is."""

    tags: Mapping[str, str] | None = None
    provisioners: Sequence[Provisioner] | None = None
    capacity: int | None = None
    lost_after_seconds: int | None = None
    cancel_grace_seconds: int | None = None

    def as_spec(self) -> dict[str, Any]:
        """Return the fields that were given, as the API spells them."""
        given = {
            "tags": None if self.tags is None else dict(self.tags),
            "provisioners": None if self.provisioners is None else [str(each) for each in self.provisioners],
            "capacity": self.capacity,
            "lostAfterSeconds": self.lost_after_seconds,
            "cancelGraceSeconds": self.cancel_grace_seconds,
        }
        return {name: value for name, value in given.items() if value is not None}


async def register(
    client: KubeClient, namespace: str, name: str, flags: Flags, require_programs: RequirePrograms
) -> dict[str, Any]:
    """Return the daemon's object once its spec matches the flags. Raises RegistrationError, or what `require_programs` raises.

    Waits while an object of the name is being deleted: the controller ends it, and with it the process that reports for it.
    """
    while (body := await _register_now(client, namespace, name, flags, require_programs)) is None:
        logger.info("ProvisionerDaemon %s/%s is being deleted; waiting until it is gone", namespace, name)
        await asyncio.sleep(AWAIT_DELETION_SECONDS)
    return body


async def _register_now(
    client: KubeClient, namespace: str, name: str, flags: Flags, require_programs: RequirePrograms
) -> dict[str, Any] | None:
    try:
        return await until_answered(
            lambda: _register(client, namespace, name, flags, require_programs), also=(ConflictError,)
        )
    except ForbiddenError as error:
        raise RegistrationError(_forbidden(namespace, name, error)) from error
    except InvalidError as error:
        raise RegistrationError(
            f"The API server refuses ProvisionerDaemon {namespace}/{name}: {error}. Correct the flags."
        ) from error
    except NotFoundError as error:
        raise RegistrationError(
            f"ProvisionerDaemon {namespace}/{name} cannot be created: {error}. Make sure that the namespace exists and the "
            "product's CustomResourceDefinitions are installed."
        ) from error
    except ApiError as error:
        raise RegistrationError(f"ProvisionerDaemon {namespace}/{name} cannot be registered: {error}.") from error


async def await_registration(client: KubeClient, namespace: str, name: str, pod_uid: str) -> dict[str, Any]:
    """Return the daemon's object once the controller has created it for this very Pod. Raises RegistrationError."""
    clock = asyncio.get_running_loop().time
    logged_at = float("-inf")
    while True:
        try:
            body = await client.get(paths.daemon(namespace, name))
            if any(owner["uid"] == pod_uid for owner in body["metadata"].get("ownerReferences", ())):
                return body
            reason = f"ProvisionerDaemon {namespace}/{name} belongs to another owner. Delete it, or this Pod"
        except NotFoundError:
            reason = (
                f"the controller has not created ProvisionerDaemon {namespace}/{name} from the Pod's annotations yet"
            )
        except ForbiddenError as error:
            raise RegistrationError(
                f"Not allowed to read ProvisionerDaemon {namespace}/{name}: {error}. Bind the ClusterRole provisioner-daemon "
                f"to the Pod's ServiceAccount in namespace {namespace}."
            ) from error
        except PASSING as error:
            reason = str(error)
        if clock() - logged_at > REMIND_SECONDS:
            logged_at = clock()
            logger.info("Waiting to be registered: %s", reason)
        await asyncio.sleep(AWAIT_CONTROLLER_SECONDS)


async def _register(
    client: KubeClient, namespace: str, name: str, flags: Flags, require_programs: RequirePrograms
) -> dict[str, Any] | None:
    """Return the daemon's object, created or changed by the flags; None while one of its name is being deleted."""
    wanted = flags.as_spec()
    try:
        body = await client.get(paths.daemon(namespace, name))
    except NotFoundError:
        # Before the object exists: one whose daemon cannot work or report would remain, and show as Offline.
        require_programs(flags.provisioners or DaemonSpec().provisioners)
        await _require_rights(client, namespace, name)
        logger.info("Creating ProvisionerDaemon %s/%s", namespace, name)
        metadata = {"name": name, "namespace": namespace}
        kind = {"apiVersion": API_VERSION, "kind": "ProvisionerDaemon"}
        return await client.create(paths.daemons(namespace), {**kind, "metadata": metadata, "spec": wanted})
    if "deletionTimestamp" in body["metadata"]:
        return None
    spec = body.get("spec") or {}
    changes = {field: value for field, value in wanted.items() if spec.get(field) != value}
    if not changes:
        return body
    logger.info("Changing %s of ProvisionerDaemon %s/%s to match the flags", ", ".join(changes), namespace, name)
    uid = ProvisionerDaemon.model_validate(body).metadata.uid
    # No merge patch: it could not remove tags.
    patch = JsonPatch(
        tests=(("/metadata/uid", uid),), sets=tuple((f"/spec/{field}", value) for field, value in changes.items())
    )
    return await client.json_patch(paths.daemon(namespace, name), patch)


async def _require_rights(client: KubeClient, namespace: str, name: str) -> None:
    """Check the permissions that a daemon outside a Pod needs to report. Raises RegistrationError."""
    for verb, subresource in (("patch", "status"), ("impersonate", "")):
        attributes = {
            "group": GROUP,
            "resource": DAEMONS,
            "subresource": subresource,
            "verb": verb,
            "namespace": namespace,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await client.create(paths.SELF_ACCESS_REVIEWS, review)
        if not answer["status"]["allowed"]:
            on = f"{DAEMONS}/{subresource}" if subresource else DAEMONS
            raise RegistrationError(
                f"ProvisionerDaemon {namespace}/{name} was not created, because this daemon could not report: it lacks the "
                f"verb {verb} on {on}. {roles_of_an_outside_daemon(namespace)}"
            )


def roles_of_an_outside_daemon(namespace: str) -> str:
    """Return the ClusterRoles that a daemon outside a Pod needs, as an instruction."""
    return (
        "Bind the ClusterRole provisioner-daemon, and a Role that lets it create, patch and impersonate this "
        "ProvisionerDaemon (docs/daemons.md) or the ClusterRole provisioner-external-daemon, to the daemon's user or "
        f"ServiceAccount in namespace {namespace}."
    )


def _forbidden(namespace: str, name: str, error: ForbiddenError) -> str:
    return (
        f"Not allowed to register ProvisionerDaemon {namespace}/{name}: {error}. {roles_of_an_outside_daemon(namespace)} "
        "Without the right to create it, an admin can create the ProvisionerDaemon; then start the daemon without options "
        "for its spec."
    )
