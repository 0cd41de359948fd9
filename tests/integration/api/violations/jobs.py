"""What a job's spec requires and forbids."""

from integration.api.violations.row import Change, Creation
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_job_manifest

SPECS = (
    Creation(
        "spec.workspaceRef is required when spec.type is WorkspaceBuild",
        a_job_manifest(workspaceRef=None),
        "spec.workspaceRef",
    ),
    Creation(
        "spec.transition is required when spec.type is WorkspaceBuild: Start, Stop or Delete",
        a_job_manifest(transition=None),
        "spec.transition",
    ),
    Creation(
        "spec.transition is only for spec.type WorkspaceBuild", a_job_manifest(type="TemplateImport"), "spec.transition"
    ),
    Creation(
        "values of variables are at most 256 KiB together: put larger ones into a Secret",
        a_job_manifest(variables=[{"name": f"v{number}", "value": "x" * 60_000} for number in range(5)]),
        "spec.variables",
    ),
    Creation(
        "metadata.name of a job has at most 63 characters: it serves as a label's value",
        a_job_manifest("n" * 64),
        "<nil>",
    ),
    Change("a cancel cannot be withdrawn; create a new job", Phase.PENDING, {"spec": {"cancel": False}}, "spec.cancel"),
    Change("a cancel cannot be withdrawn; create a new job", Phase.PENDING, {"spec": {"cancel": None}}, "spec.cancel"),
)
