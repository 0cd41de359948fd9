"""Entry point for plain Kopf: `kopf run --all-namespaces -m provisioner_operator.controller.kopf_app`.

Settings come from the environment (`PROVISIONER_OPERATOR_…`). Its namespaces should be those that `kopf run` is given.
"""

import kopf

from provisioner_operator.controller.handlers import register, register_lifecycle
from provisioner_operator.controller.operator import Operator
from provisioner_operator.controller.settings import Settings

_operator = Operator(Settings())
register(kopf.get_default_registry(), _operator)
register_lifecycle(kopf.get_default_registry(), _operator)
