"""Entry point for plain Kopf: `kopf run --all-namespaces -m provisioner_operator.controller.kopf_app`.

Settings come from the environment (`PROVISIONER_OPERATOR_…`). Its namespaces should be those that `kopf run` is given.
"""

import kopf

from provisioner_operator.controller.handlers import register
from provisioner_operator.controller.operator import Operator
from provisioner_operator.controller.settings import Settings

register(kopf.get_default_registry(), Operator(Settings()))
