"""For plain Kopf: `kopf run --all-namespaces -m provisioner_operator.controller.kopf_app`.

Settings come from the environment (`PROVISIONER_OPERATOR_…`); the namespaces given to `kopf run` should be the same.
"""

import kopf

from provisioner_operator.controller.handlers import register, register_life
from provisioner_operator.controller.operator import Operator
from provisioner_operator.controller.settings import Settings

_operator = Operator(Settings())
register(kopf.get_default_registry(), _operator)
register_life(kopf.get_default_registry(), _operator)
