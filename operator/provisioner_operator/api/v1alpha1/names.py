"""The names under which the product is known to an API server."""

GROUP = "provisioner.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "provisionerjobs"
DAEMONS = "provisionerdaemons"
POOLS = "provisionerpools"
TEMPLATES = "workspacetemplates"
WORKSPACES = "workspaces"

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


TEMPLATE_LABEL = f"{GROUP}/template"
"""On a template's versions and jobs: the template's name."""
WORKSPACE_LABEL = f"{GROUP}/workspace"
"""On a workspace's jobs: the workspace's name."""
DESTROY_FINALIZER = f"{GROUP}/destroy"
"""On a workspace that was built: it goes when its resources are destroyed."""
IN_USE_FINALIZER = f"{GROUP}/in-use"
"""On a template that has versions: it goes when no workspace is made from it."""


def version_name(template: str, digest: str) -> str:
    """The name of a template's version, by the digest of its source; also that of the ConfigMap that keeps its files."""
    return f"{template}-{digest}"


def import_job_name(version: str) -> str:
    """The job that imports a version."""
    return f"{version}-import"


def build_job_name(workspace: str, number: int) -> str:
    """The job of a workspace's build."""
    return f"{workspace}-{number}"
