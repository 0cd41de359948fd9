"""The image that this process runs from: pools' daemons run from it too, so that both are of one version.

Asked for once, at the start, of the API server: the downward API does not tell a container its image.
"""

import logging
import os

from provisioner_operator import __version__
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, NotFoundError

_logger = logging.getLogger(__name__)

DEFAULT_IMAGE = f"provisioner-operator:{__version__}"
"""Outside a Pod, where no setting says otherwise."""
_CONTAINER = "operator"


async def own_image(client: KubeClient) -> str | None:
    """The image of this Pod's container; None outside a Pod, as POD_NAME and POD_NAMESPACE tell."""
    name, namespace = os.environ.get("POD_NAME"), os.environ.get("POD_NAMESPACE")
    if not name or not namespace:
        return None
    try:
        body = await client.get(paths.pod(namespace, name))
    except (ForbiddenError, NotFoundError) as error:
        _logger.warning(
            "Cannot tell which image Pod %s/%s runs; pools use %s: %s", namespace, name, DEFAULT_IMAGE, error
        )
        return None
    containers = body["spec"]["containers"]
    own = next((each for each in containers if each["name"] == _CONTAINER), containers[0])
    return str(own["image"])
