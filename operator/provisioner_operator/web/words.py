"""Words for types of jobs, in which addresses and answers of the API and of the pages name them. Pure tables."""

from collections.abc import Mapping
from typing import Literal

from provisioner_operator.api.v1alpha1.enums import JobType

JobTypeWord = Literal["workspace_build", "template_version_import", "template_version_dry_run"]
"""Coder's words; its clients know no others."""

CODER_TYPE_WORD: Mapping[JobType, JobTypeWord] = {
    JobType.WORKSPACE_BUILD: "workspace_build",
    JobType.TEMPLATE_IMPORT: "template_version_import",
    JobType.TEMPLATE_DRY_RUN: "template_version_dry_run",
    # It plans too, and changes nothing.
    JobType.WORKSPACE_PLAN: "template_version_dry_run",
}
"""Word of each type in the API."""
TYPE_WORD: Mapping[JobType, str] = {**CODER_TYPE_WORD, JobType.WORKSPACE_PLAN: "workspace_plan"}
"""Word of each type in the addresses of pages, each another."""
TYPE_OF: Mapping[str, JobType] = {word: type_ for type_, word in TYPE_WORD.items()}
