"""What a template learns of its job: variables of its own, and the environment that Coder's Terraform provider reads.

Called by the terraform provisioner once per run. Pure: a job and the values of its variables in, an environment out. What
is not known is left out where the provider has a harmless value of its own, and given one where it has not.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.api.v1alpha1.job import ProvisionerJob

ACCESS_URL = "https://coder.invalid"
"""Where a template is told that Coder is. No such name can exist (RFC 6761); the provider's own value is a real one, and
agents would send their tokens there."""
LONGEST_OWNER = 32
"""Characters of a user name in Coder. Templates make names of machines and volumes of it."""
STAY = """#!/usr/bin/env sh
# Stands where Coder's agent would be started. There is none: this only keeps the machine's first process alive.
trap 'exit 0' INT TERM
while :; do sleep 3600 & wait $!; done
"""
STAY_WINDOWS = "while ($true) { Start-Sleep -Seconds 3600 }\n"

_AGENT_SCRIPTS = {"linux": STAY, "darwin": STAY, "windows": STAY_WINDOWS}
_ARCHITECTURES = ("amd64", "arm64", "armv7")
_CODERS_WORD = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "destroy"}
_IDENTITIES = uuid.uuid5(uuid.NAMESPACE_DNS, "provisioner.dev")
_EMAIL = re.compile(r"[^@\s:/]+@[^@\s:/]+")


def context_environment(job: ProvisionerJob, values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a run's environment that tell a template of its job, its parameters among them.

    What tells of the job wins over a variable of the same name: a template may trust it.

    Args:
        job: The job that is run.
        values: The values of its variables, by name. They reach the template unchanged.
    """
    variables = {f"TF_VAR_{name}": value for name, value in values.items()}
    parameters = {coder_parameter(name): value for name, value in values.items()}
    own = {f"TF_VAR_provisioner_{name}": value for name, value in _own_variables(job).items()}
    return variables | parameters | own | dict(_coder(job)) | _agent_scripts()


def coder_parameter(name: str) -> str:
    """Return where Coder's provider looks for the value of the parameter of this name."""
    return f"CODER_PARAMETER_{hashlib.sha256(name.encode()).hexdigest()}"


def coder_owner(owner: str) -> str:
    """Return a user of Kubernetes as a user name of Coder: letters, digits and single dashes, without an email's domain.

    Empty when nothing of the name is left. Different users may come to the same name; `full_name` tells them apart.
    """
    account = owner.split("@", maxsplit=1)[0] if _EMAIL.fullmatch(owner) else owner
    return re.sub(r"[^A-Za-z0-9]+", "-", account).strip("-")[:LONGEST_OWNER].rstrip("-")


def _own_variables(job: ProvisionerJob) -> Mapping[str, str]:
    workspace, template = job.spec.workspace_ref, job.spec.template_ref
    return {
        "transition": (job.spec.transition or Transition.START).lower(),
        "workspace": workspace.name if workspace else "",
        "owner": (workspace and workspace.owner) or "",
        # A number even where there is none, for a template may declare it as one. Builds are counted from 1.
        "build_number": str((workspace and workspace.build_number) or 0),
        "template": template.name if template else "",
        "template_version": (template and template.version) or "",
    }


def _coder(job: ProvisionerJob) -> Iterator[tuple[str, str]]:
    # CODER_WORKSPACE_BUILD_ID is left out: it would only make the provider refuse a job that names no template.
    namespace = job.metadata.namespace
    yield "CODER_AGENT_URL", ACCESS_URL
    yield "CODER_WORKSPACE_OWNER_GROUPS", "[]"  # versions 0 and 1 of the provider fail without it
    yield "CODER_WORKSPACE_TRANSITION", _CODERS_WORD[job.spec.transition or Transition.START]
    if workspace := job.spec.workspace_ref:
        yield "CODER_WORKSPACE_NAME", workspace.name
        yield "CODER_WORKSPACE_ID", workspace.uid or _identity(namespace, "workspaces", workspace.name)
        yield from _coder_owner(workspace.owner)
    if template := job.spec.template_ref:
        # Not the uid: it is there in some jobs of a template only, and what is built with an id must not lose it.
        yield "CODER_WORKSPACE_TEMPLATE_ID", _identity(namespace, "templates", template.name)
        yield "CODER_WORKSPACE_TEMPLATE_NAME", template.name
        if template.version:
            yield "CODER_WORKSPACE_TEMPLATE_VERSION", template.version


def _coder_owner(owner: str | None) -> Iterator[tuple[str, str]]:
    # The initiator is no substitute: it changes from job to job, and resources that bear the owner's name would too.
    # An id even for nobody: without one the provider makes up another at each plan.
    yield "CODER_WORKSPACE_OWNER_ID", _identity("owners", owner or "")
    if owner and (name := coder_owner(owner)):
        yield "CODER_WORKSPACE_OWNER", name
    if owner:
        yield "CODER_WORKSPACE_OWNER_NAME", owner
    if owner and _EMAIL.fullmatch(owner):
        yield "CODER_WORKSPACE_OWNER_EMAIL", owner


def _agent_scripts() -> dict[str, str]:
    # Containers run `coder_agent.init_script` as their only command: with an empty one they would end at once.
    return {
        f"CODER_AGENT_SCRIPT_{system}_{architecture}": script
        for system, script in _AGENT_SCRIPTS.items()
        for architecture in _ARCHITECTURES
    }


def _identity(*path: str) -> str:
    """A UUID that is always the same for the same path."""
    return str(uuid.uuid5(_IDENTITIES, "/".join(path)))
