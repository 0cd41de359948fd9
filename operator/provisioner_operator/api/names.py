"""The names under which the product is known to an API server."""

GROUP = "provisioner.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "provisionerjobs"
DAEMONS = "provisionerdaemons"
POOLS = "provisionerpools"

DAEMON_POD_LABEL = f"{GROUP}/daemon"
"""On a Pod that is a daemon, with the value `true`."""
TAG_ANNOTATION_PREFIX = f"tags.{GROUP}/"
"""Of a daemon Pod's annotations: each is a tag that the daemon offers."""
PROVISIONERS_ANNOTATION = f"{GROUP}/provisioners"
CAPACITY_ANNOTATION = f"{GROUP}/capacity"
LOST_AFTER_ANNOTATION = f"{GROUP}/lost-after-seconds"
CANCEL_GRACE_ANNOTATION = f"{GROUP}/cancel-grace-seconds"
"""Of a daemon Pod's annotations: the fields of its ProvisionerDaemon's spec, whose defaults hold where one is absent."""

POOL_LABEL = f"{GROUP}/pool"
"""On a pool's Pods: the pool's name."""
POOL_REVISION_LABEL = f"{GROUP}/pool-revision"
"""On a pool's Pods: the digest of the template that they were made from."""
CORDONED_BY_ANNOTATION = f"{GROUP}/cordoned-by"
"""On a ProvisionerDaemon that its pool cordoned: the pool's name. A cordon without it is an admin's."""
DRAIN_FINALIZER = f"{GROUP}/drain"
"""On a pool: it goes when its daemons have finished what they run."""

LEASE = "provisioner-operator"
"""The Lease of the controller that leads."""

ARCHIVING_DAEMON_ANNOTATION = f"{GROUP}/daemon"
"""On a log archive: the daemon that writes it, and alone may."""

JOB_LABEL = f"{GROUP}/job"
"""On everything made for a job (its log archive): the job's name."""


def log_archive_name(job: str) -> str:
    """The ConfigMap that holds a job's log; a job's name is short enough (63) for any suffix."""
    return f"{job}-log"
