"""The names under which the product is known to an API server."""

GROUP = "provisioner.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "provisionerjobs"
DAEMONS = "provisionerdaemons"

JOB_LABEL = f"{GROUP}/job"
"""On everything made for a job (its log archive): the job's name."""
