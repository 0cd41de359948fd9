"""The names under which the product is known to an API server."""

GROUP = "provisioner.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "provisionerjobs"
DAEMONS = "provisionerdaemons"

LEASE = "provisioner-operator"
"""The Lease of the controller that leads."""

JOB_LABEL = f"{GROUP}/job"
"""On everything made for a job (its log archive): the job's name."""


def log_archive_name(job: str) -> str:
    """The ConfigMap that holds a job's log; a job's name is short enough (63) for any suffix."""
    return f"{job}-log"
