"""Violations of what a job's spec requires and forbids."""

from integration.api.violations.row import NEVER_STARTED, Change, Creation
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_job_manifest

NO_CONSTRAINT = (
    "terraformVersion is no version constraint: write conditions with =, !=, >, >=, <, <= or ~>, separated by commas, as in "
    "`>= 1.9, < 2` or `~> 1.11.0`"
)
SPECS = (
    Creation(
        "spec.workspaceRef is required when spec.type is WorkspaceBuild or WorkspacePlan",
        a_job_manifest(workspaceRef=None),
        "spec.workspaceRef",
    ),
    Creation(
        "spec.transition is required when spec.type is WorkspaceBuild or WorkspacePlan: Start, Stop or Delete",
        a_job_manifest(transition=None),
        "spec.transition",
    ),
    Creation(
        "spec.transition is allowed only if spec.type is WorkspaceBuild or WorkspacePlan",
        a_job_manifest(type="TemplateImport"),
        "spec.transition",
    ),
    Creation(
        "values of variables are larger than 256 KiB in total: put large ones into a Secret and set valueFrom",
        a_job_manifest(
            variables=[{"name": f"v{number}", "value": "x" * size} for number, size in enumerate([65_536] * 4 + [1])]
        ),
        "spec.variables",
    ),
    Creation(
        "spec.keepPlan is allowed only if spec.type is WorkspacePlan", a_job_manifest(keepPlan=True), "spec.keepPlan"
    ),
    Creation(
        "spec.planRef is allowed only if spec.type is WorkspaceBuild",
        a_job_manifest(type="WorkspacePlan", planRef={"job": "dev-1", "digest": "a" * 64}),
        "spec.planRef",
    ),
    *(
        Creation(NO_CONSTRAINT, a_job_manifest(terraformVersion=text), "spec.terraformVersion")
        for text in ("latest", "1.9 || 2", ">= 1.9 < 2", "=> 1.9", "~> 1.9.0.0", "v1.9", ">= 1.10.0-rc1", "1.9,", " ")
    ),
    Creation(
        "metadata.name of a job has at most 63 characters, because it is used as the value of a label",
        a_job_manifest("n" * 64),
        "metadata.name",
    ),
    Change(
        "spec.cancel cannot be reset: create a new job instead",
        Phase.PENDING,
        {"spec": {"cancel": False}},
        "spec.cancel",
    ),
    Change(
        "spec.cancel cannot be reset: create a new job instead",
        Phase.PENDING,
        {"spec": {"cancel": None}},
        "spec.cancel",
    ),
    *(
        Change(
            "a job that has ended takes no more requests: only spec.ttlSecondsAfterFinished may change",
            state,
            {"spec": change},
            "spec",
            f"the job is {phase} already: only spec.ttlSecondsAfterFinished may change",
        )
        for state, phase, change in (
            (NEVER_STARTED, Phase.FAILED, {"cancel": True}),
            (NEVER_STARTED, Phase.FAILED, {"cancelMode": "Force"}),
            (NEVER_STARTED, Phase.FAILED, {"suspend": True}),
            (Phase.COMPLETED, Phase.COMPLETED, {"cancelReason": "late"}),
            (Phase.COMPLETED, Phase.COMPLETED, {"canceledBy": "somebody"}),
            (Phase.CANCELED, Phase.CANCELED, {"priority": 5}),
        )
    ),
)
