"""Names of the product's resources, labels, annotations and finalizers."""

GROUP = "provisioner.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

JOBS = "provisionerjobs"
DAEMONS = "provisionerdaemons"
POOLS = "provisionerpools"
QUEUES = "provisionerqueues"
QUEUE_NAME = "default"
"""The only name that a ProvisionerQueue may have."""
SUPPLIES = "provisionersupplies"
SUPPLY_NAME = "default"
"""The only name that a ProvisionerSupply may have."""
TEMPLATES = "workspacetemplates"
WORKSPACES = "workspaces"

DAEMON_POD_LABEL = f"{GROUP}/daemon"
"""Label of a Pod that is a daemon, with the value `true`."""
TAG_ANNOTATION_PREFIX = f"tags.{GROUP}/"
"""Prefix of a daemon Pod's annotations that are tags of the daemon."""
PROVISIONERS_ANNOTATION = f"{GROUP}/provisioners"
CAPACITY_ANNOTATION = f"{GROUP}/capacity"
LOST_AFTER_ANNOTATION = f"{GROUP}/lost-after-seconds"
CANCEL_GRACE_ANNOTATION = f"{GROUP}/cancel-grace-seconds"
"""Annotations of a daemon Pod for the fields of its ProvisionerDaemon's spec; where one is absent, the default
applies."""

PATHS_ANNOTATION = f"{GROUP}/paths"
"""Annotation of a ConfigMap with a source's files: a JSON object with the paths of keys that stand for files in folders."""

POOL_LABEL = f"{GROUP}/pool"
"""Label of a pool's Pods: the pool's name."""
POOL_REVISION_LABEL = f"{GROUP}/pool-revision"
"""Label of a pool's Pods: the digest of the template from which they were made."""
CORDONED_BY_ANNOTATION = f"{GROUP}/cordoned-by"
"""Annotation of a ProvisionerDaemon that its pool cordoned: the pool's name. Without it, an admin cordoned the
daemon."""
DRAIN_FINALIZER = f"{GROUP}/drain"
"""Finalizer of a pool: keeps it until its daemons have finished their jobs."""

RUNS_FINALIZER = f"{GROUP}/runs"
"""Finalizer of a ProvisionerDaemon: keeps it until all that its process ran is certainly over."""

LEASE = "provisioner-operator"
"""Name of the Lease that the leading controller holds."""

ARCHIVING_DAEMON_ANNOTATION = f"{GROUP}/daemon"
"""Annotation of a log archive: the only daemon that may write it."""

TRACEPARENT_ANNOTATION = f"{GROUP}/traceparent"
"""Annotation of a job or workspace: the span (W3C `traceparent`) in whose trace the job, or each of the builds, is described."""

JOB_LABEL = f"{GROUP}/job"
"""Label of all objects made for a job, such as its log archive: the job's name."""


def log_archive_name(job: str) -> str:
    """Name the ConfigMap that holds a job's log. A job's name is short enough (63 characters) for any suffix."""
    return f"{job}-log"


TEMPLATE_LABEL = f"{GROUP}/template"
"""Label of a template's versions and jobs: the template's name."""
WORKSPACE_LABEL = f"{GROUP}/workspace"
"""Label of a workspace's jobs: the workspace's name."""
BUILD_REASON_LABEL = f"{GROUP}/build-reason"
"""Label of a job that a workspace made although nobody asked for it: the reason, such as Autostop."""
RESTORED_ANNOTATION = f"{GROUP}/restored-at"
"""Annotation of the controllers' Lease: the time at which one of them last noticed that etcd was restored from a backup."""
IDEMPOTENCY_KEY_ANNOTATION = f"{GROUP}/idempotency-key"
"""Annotation of a workspace or template: the latest request for a build or an import that had an idempotency key, as a digest,
and the number of the latest build before it."""
DESTROY_FINALIZER = f"{GROUP}/destroy"
"""Finalizer of a workspace that was built: keeps it until its resources are destroyed."""
IN_USE_FINALIZER = f"{GROUP}/in-use"
"""Finalizer of a template that has versions: keeps it until no workspace uses it."""


def version_name(template: str, digest: str) -> str:
    """Name a template's version by the digest of its source. The ConfigMap that keeps its files has the same name."""
    return f"{template}-{digest}"


def import_job_name(version: str) -> str:
    """Name the job that imports a version."""
    return f"{version}-import"


def build_job_name(workspace: str, number: int) -> str:
    """Name the job of a workspace's build."""
    return f"{workspace}-{number}"


def plan_job_name(workspace: str, key: str) -> str:
    """Name the job of a workspace's plan by a key of four characters; no build has the name if it begins with a letter."""
    return f"{workspace}-plan-{key}"


KEPT_PLAN_TYPE = f"{GROUP}/kept-plan"
"""Type of the Secrets that keep a plan until it is approved."""


def kept_plan_name(job: str, chunk: int) -> str:
    """Name a Secret of the plan that this job keeps."""
    return f"tfplan-{job}-{chunk}"


def drift_job_name(workspace: str, key: str) -> str:
    """Name the job that checks a workspace for drift by a key of three letters."""
    return f"{workspace}-drift-{key}"


STATE_VERSIONS_TYPE = f"{GROUP}/state-versions"
"""Type of the Secret that keeps the last versions of a workspace's Terraform state."""


def state_versions_name(workspace: str) -> str:
    """Name the Secret that keeps the last versions of a workspace's Terraform state."""
    return f"state-versions-{workspace}"
