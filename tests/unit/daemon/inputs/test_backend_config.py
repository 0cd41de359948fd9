import asyncio
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.inputs.backend_config import read_backend_config
from provisioner_operator.daemon.inputs.variables import Variables
from provisioner_operator.kube import paths
from unit.daemon.builders import Objects, a_secret, a_task

KEY = {"name": "key", "value": "states/$(provisioner_namespace)/$(provisioner_workspace)"}
PASSWORD = {"name": "password", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "password"}}}
VALUES = {"provisioner_namespace": "acme", "provisioner_workspace": "dev", "region": "eu"}


def read(*settings: dict[str, Any]) -> Variables:
    task = a_task(state={"backend": "Template", "backendConfig": list(settings)})
    objects = Objects({paths.secret("acme", "cloud"): a_secret(password="$(region)\n")})
    return asyncio.run(read_backend_config(objects, task.model, VALUES))


def test_a_setting_takes_variables_and_one_from_a_secret_is_used_as_it_is() -> None:
    found = read(KEY, {"name": "bucket", "value": "$(region)"}, PASSWORD)
    assert found.values == {"key": "states/acme/dev", "bucket": "eu", "password": "$(region)"}
    assert found.secrets == ("$(region)",)


def test_a_job_without_settings_has_none() -> None:
    assert asyncio.run(read_backend_config(Objects(), a_task().model, VALUES)) == Variables({})


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            {"name": "key", "value": "$(nothing)"},
            "Setting key in spec.state.backendConfig refers to the variable 'nothing'",
        ),
        (
            {"name": "password", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}},
            "has no key token for setting password of the backend",
        ),
    ],
)
def test_a_setting_that_cannot_be_had_is_named(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UnpreparedError, match="etting") as raised:
        read(setting)
    assert said in str(raised.value)
    assert raised.value.failure.reason is EndReason.VARIABLE_UNAVAILABLE
