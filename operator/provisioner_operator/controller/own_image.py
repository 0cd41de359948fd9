"""The image that this process runs from: the default image of pools' daemons, so that both are of one version.

Read once at the start, from this Pod's object: the downward API does not offer a container's image.
"""

import logging
import os

from provisioner_operator import __version__
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, NotFoundError

_logger = logging.getLogger(__name__)

DEFAULT_IMAGE = f"provisioner-operator:{__version__}"
"""The image where no setting names one and this process runs in no Pod."""
_CONTAINER = "operator"
"""The controller's container in `manifests/operator`."""


async def own_image(client: KubeClient) -> str | None:
    """Find the image of this Pod's container; None outside a Pod, or if the Pod may not be read.

    The environment variables POD_NAME and POD_NAMESPACE name the Pod. Other errors of the API server are raised.
    """
    name, namespace = os.environ.get("POD_NAME"), os.environ.get("POD_NAMESPACE")
    if not name or not namespace:
        return None
    try:
        body = await client.get(paths.pod(namespace, name))
    except (ForbiddenError, NotFoundError) as error:
        _logger.warning("Cannot read the image of Pod %s/%s; pools use %s: %s", namespace, name, DEFAULT_IMAGE, error)
        return None
    containers = body["spec"]["containers"]
    # A sidecar that was injected may come first; a renamed container is still the only one.
    own = next((each for each in containers if each["name"] == _CONTAINER), containers[0])
    return str(own["image"])
