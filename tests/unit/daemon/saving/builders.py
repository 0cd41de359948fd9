"""Unsaved states in a line."""

import json
from pathlib import Path
from typing import Any

from provisioner_operator.daemon.execution.unsaved_state import (
    RunRecord,
    UnsavedState,
    find_unsaved_state,
    write_record,
)


def a_record(**fields: Any) -> RunRecord:
    """A run of job dev-7 in namespace acme, which keeps the state of workspace dev."""
    defaults: dict[str, Any] = {
        "namespace": "acme",
        "workspace": "dev",
        "job": "dev-7",
        "job_uid": "uid-of-dev-7",
        "binary": "/bin/tofu",
        "folder": ".",
        "started": 1000.0,
    }
    return RunRecord(**(defaults | fields))


def a_state(serial: int = 2, lineage: str = "one", **more: Any) -> bytes:
    """The content of a state."""
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage} | more).encode()


def an_unsaved_state(parent: Path, name: str = "run", content: bytes | None = None, **fields: Any) -> UnsavedState:
    """Leave the state in a run's directory."""
    directory = parent / name
    record = a_record(**fields)
    module = directory / record.folder
    module.mkdir(parents=True)
    (module / "errored.tfstate").write_bytes(a_state() if content is None else content)
    write_record(directory, record)
    found = find_unsaved_state(directory)
    assert found is not None
    return found
