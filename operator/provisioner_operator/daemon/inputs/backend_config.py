"""Read the settings of the backend that a job's files name, from the job, its variables and Secrets. Used by `terraform`."""

import re
from collections.abc import Mapping

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.state import BackendSetting
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.inputs.objects import Reader, Secrets
from provisioner_operator.daemon.inputs.variables import Variables

_REFERENCE = re.compile(r"\$\(([^()$]*)\)")


async def read_backend_config(reader: Reader, job: ProvisionerJob, values: Mapping[str, str]) -> Variables:
    """Return the settings by name; `values` are the run's variables. Raises UnpreparedError (VariableUnavailable)."""
    secrets = Secrets(reader, job.metadata.namespace, EndReason.VARIABLE_UNAVAILABLE)
    settings: dict[str, str] = {}
    hidden: list[str] = []
    for setting in job.spec.state.backend_config if job.spec.state is not None else ():
        if setting.value_from is None:
            settings[setting.name] = _filled_in(setting, values)
        else:
            key = setting.value_from.secret_key_ref
            # Editors and `echo` end what they write with a line break, which no setting has.
            text = await secrets.value(key.name, key.key, f"setting {setting.name} of the backend")
            settings[setting.name] = text.rstrip("\r\n")
            hidden.append(settings[setting.name])
    return Variables(settings, tuple(hidden))


def _filled_in(setting: BackendSetting, values: Mapping[str, str]) -> str:
    def value_of(reference: re.Match[str]) -> str:
        name = reference.group(1)
        if name not in values:
            raise UnpreparedError(
                EndReason.VARIABLE_UNAVAILABLE,
                f"Setting {setting.name} in spec.state.backendConfig refers to the variable {name!r}, which the job does not have. "
                "Correct the name, or add the variable.",
            )
        return values[name]

    return _REFERENCE.sub(value_of, setting.value or "")
