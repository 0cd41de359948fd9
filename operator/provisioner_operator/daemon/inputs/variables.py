"""Read a job's variables, from the job itself and from Secrets. Used by the provisioners."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.inputs import Variable
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.inputs.objects import Reader, Secrets

LONGEST_VARIABLE = 120_000
"""Bytes of one value: a program's environment takes 128 KiB of one variable (Linux's MAX_ARG_STRLEN), name included."""


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name, and those of them that came from Secrets."""

    values: Mapping[str, str]
    secrets: tuple[str, ...] = field(default=(), repr=False)


async def read_variables(reader: Reader, job: ProvisionerJob) -> Variables:
    """Return the job's variables. Raises UnpreparedError (VariableUnavailable)."""
    secrets = Secrets(reader, job.metadata.namespace, EndReason.VARIABLE_UNAVAILABLE)
    values: dict[str, str] = {}
    hidden: dict[str, str] = {}
    for source in job.spec.variables_from:
        for key in await secrets.keys(source.secret_ref.name, "variables"):
            values[key] = hidden[key] = await secrets.value(source.secret_ref.name, key, f"variable {key}")
    # After variablesFrom: a variable that is named on its own replaces one of a whole Secret, and its secrecy.
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


async def _value(secrets: Secrets, variable: Variable) -> str:
    if variable.value_from is None:
        return variable.value or ""
    selector = variable.value_from.secret_key_ref
    return await secrets.value(selector.name, selector.key, f"variable {variable.name}")
