import asyncio

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.inputs.variables import read_variables
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from unit.daemon.builders import Objects, a_secret, a_task

LONGEST_VARIABLE = 120_000

CLOUD = paths.secret("acme", "cloud")
FROM_CLOUD = {"secretKeyRef": {"name": "cloud", "key": "token"}}


def test_variables_come_from_values_and_secrets_and_the_secret_ones_are_known() -> None:
    task = a_task(
        variables=[{"name": "region", "value": "us"}, {"name": "token", "valueFrom": FROM_CLOUD}],
        variablesFrom=[{"secretRef": {"name": "base"}}],
    )
    objects = Objects(
        {CLOUD: a_secret(token="hunter2"), paths.secret("acme", "base"): a_secret(region="eu", user="joe")}
    )
    variables = asyncio.run(read_variables(objects, task.model))
    assert variables.values == {"region": "us", "user": "joe", "token": "hunter2"}
    assert sorted(variables.secrets) == ["hunter2", "joe"]
    assert "hunter2" not in repr(variables.secrets and variables).replace(repr(variables.values), "")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "Secret cloud in namespace acme, for variable token, does not exist"),
        (a_secret(other="x"), "Secret cloud in namespace acme has no key token for variable token"),
        (a_secret(token=b"\xff"), "is not UTF-8 text"),
        (a_secret(token="a\0b"), "holds a NUL"),
        (a_secret(token="x" * (LONGEST_VARIABLE + 1)), "cannot be passed to a program"),
    ],
)
def test_a_variable_that_cannot_be_had_is_named_with_its_remedy(secret: dict[str, object] | None, said: str) -> None:
    task = a_task(variables=[{"name": "token", "valueFrom": FROM_CLOUD}])
    with pytest.raises(UnpreparedError, match=said) as caught:
        asyncio.run(read_variables(Objects({} if secret is None else {CLOUD: secret}), task.model))
    assert caught.value.failure.reason is EndReason.VARIABLE_UNAVAILABLE


def test_a_missing_right_is_reported_with_what_to_grant() -> None:
    objects = Objects()
    objects.failure = ForbiddenError(403, "no")
    with pytest.raises(UnpreparedError, match="Grant its ServiceAccount `get` on it"):
        asyncio.run(read_variables(objects, a_task(variables=[{"name": "token", "valueFrom": FROM_CLOUD}]).model))
