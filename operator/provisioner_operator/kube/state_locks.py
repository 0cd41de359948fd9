"""Read the lock of a workspace's Terraform state from its Lease. Pure; used by the daemon and the command line."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from provisioner_operator.core.states.lock import (
    LOCK_INFO_ANNOTATION,
    RUN_PREFIX,
    HoldingRun,
    LockHolder,
    StateLock,
)
from provisioner_operator.kube.object_states import meta_of


def parse_state_lock(body: Mapping[str, Any]) -> StateLock:
    """Return the lock as its Lease shows it, whoever has written that."""
    meta = meta_of(body)
    identity = (body.get("spec") or {}).get("holderIdentity")
    holder = None if identity is None else _holder(str(identity), meta.annotations.get(LOCK_INFO_ANNOTATION, ""))
    return StateLock(meta.uid, meta.resource_version, holder, meta.annotations)


def _holder(identity: str, text: str) -> LockHolder:
    info = _object(text)
    known = {
        name: str(info[key])
        for name, key in (("who", "Who"), ("created", "Created"), ("operation", "Operation"))
        if info.get(key)
    }
    is_runs = identity.startswith(RUN_PREFIX) and info.get("ID") == identity
    return LockHolder(id=identity, **known, run=_run(_object(info.get("Info"))) if is_runs else None)


def _run(given: Mapping[str, Any]) -> HoldingRun | None:
    values = {field.name: given.get(field.name) for field in fields(HoldingRun)}
    if not all(isinstance(value, str) and value for value in values.values()):
        return None
    return HoldingRun(**{name: str(value) for name, value in values.items()})


def _object(text: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one if the text is none."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}
