"""Terraform states, made in a line."""

import json
import random
from typing import Any


def a_state(*, serial: int = 1, lineage: str = "lineage", resources: int = 0, noise: int = 0) -> bytes:
    """The text of a state; `noise` is the number of bytes that no packing shortens by much."""
    made: list[dict[str, Any]] = [
        {"mode": "managed", "type": "terraform_data", "name": f"n{number}", "instances": [{}]}
        for number in range(resources)
    ]
    outputs = {"noise": {"value": random.Random(serial).randbytes(noise // 2).hex(), "type": "string"}} if noise else {}
    state = {
        "version": 4,
        "terraform_version": "1.12.6",
        "serial": serial,
        "lineage": lineage,
        "outputs": outputs,
        "resources": made,
    }
    return json.dumps(state, indent=2).encode()
