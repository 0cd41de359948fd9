"""Build the environment that describes a job to its template: variables, and the input of Coder's Terraform provider.

Called by the terraform provisioner once per run. Pure: a job and the values of its variables in, an environment out. An
unknown value is left out where the provider has a harmless default, and replaced by one where it has not.
"""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping

from provisioner_operator.api.v1alpha1.enums import Transition
from provisioner_operator.api.v1alpha1.job import ProvisionerJob

ACCESS_URL = "https://coder.invalid"
"""The URL that templates get as Coder's. No such name can exist (RFC 6761); the provider's default is a real server, to
which agents would send their tokens."""
LONGEST_OWNER = 32
"""Characters of a user name in Coder. Templates use it in names of machines and volumes."""
STAY = """#!/usr/bin/env sh
# Runs in place of Coder's agent, of which there is none: this only keeps the machine's first process alive.
trap 'exit 0' INT TERM
while :; do sleep 3600 & wait $!; done
"""
STAY_WINDOWS = "while ($true) { Start-Sleep -Seconds 3600 }\n"

INPUT_PREFIX = "TF_VAR_"
_AGENT_SCRIPTS = {"linux": STAY, "darwin": STAY, "windows": STAY_WINDOWS}
_ARCHITECTURES = ("amd64", "arm64", "armv7")
_CODERS_WORD = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "destroy"}
_IDENTITIES = uuid.uuid5(uuid.NAMESPACE_DNS, "provisioner.dev")
_EMAIL = re.compile(r"[^@\s:/]+@[^@\s:/]+")


def context_environment(job: ProvisionerJob, values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a run's environment that describe its job to the template, parameters included.

    A variable that describes the job replaces one of the same name: a template may trust it.

    Args:
        job: The job to run.
        values: The values of its variables, by name. They reach the template unchanged.
    """
    variables = {f"{INPUT_PREFIX}{name}": value for name, value in values.items()}
    parameters = {coder_parameter(name): value for name, value in values.items()}
    own = {f"{INPUT_PREFIX}provisioner_{name}": value for name, value in _own_variables(job).items()}
    return variables | parameters | own | dict(_coder(job)) | _agent_scripts()


def input_variables(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values of Terraform's input variables in an environment, by name."""
    return {
        name.removeprefix(INPUT_PREFIX): value for name, value in environment.items() if name.startswith(INPUT_PREFIX)
    }


def coder_parameter(name: str) -> str:
    """Return the environment variable from which Coder's provider reads the parameter of this name."""
    return f"CODER_PARAMETER_{hashlib.sha256(name.encode()).hexdigest()}"


def coder_owner(owner: str) -> str:
    """Return a user of Kubernetes as a user name of Coder: letters, digits and single dashes, without an email's domain.

    Empty when nothing of the name is left. Different users may get the same name; their `full_name` differs.
    """
    account = owner.split("@", maxsplit=1)[0] if _EMAIL.fullmatch(owner) else owner
    return re.sub(r"[^A-Za-z0-9]+", "-", account).strip("-")[:LONGEST_OWNER].rstrip("-")


def _own_variables(job: ProvisionerJob) -> Mapping[str, str]:
    workspace, template = job.spec.workspace_ref, job.spec.template_ref
    return {
        "transition": (job.spec.transition or Transition.START).lower(),
        "workspace": workspace.name if workspace else "",
        "namespace": job.metadata.namespace,
        "owner": (workspace and workspace.owner) or "",
        # A number even without a build, because templates declare it as one. Builds are counted from 1.
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
        # Not the uid: only some jobs of a template have it, and resources named by the id would be recreated without it.
        yield "CODER_WORKSPACE_TEMPLATE_ID", _identity(namespace, "templates", template.name)
        yield "CODER_WORKSPACE_TEMPLATE_NAME", template.name
        if template.version:
            yield "CODER_WORKSPACE_TEMPLATE_VERSION", template.version


def _coder_owner(owner: str | None) -> Iterator[tuple[str, str]]:
    # Not the initiator: it changes from job to job, and resources that are named after the owner would change with it.
    # An id even without an owner: the provider would generate a new one at each plan.
    yield "CODER_WORKSPACE_OWNER_ID", _identity("owners", owner or "")
    if owner and (name := coder_owner(owner)):
        yield "CODER_WORKSPACE_OWNER", name
    if owner:
        yield "CODER_WORKSPACE_OWNER_NAME", owner
    if owner and _EMAIL.fullmatch(owner):
        yield "CODER_WORKSPACE_OWNER_EMAIL", owner


def _agent_scripts() -> dict[str, str]:
    # Containers run `coder_agent.init_script` as their only command: with an empty one they would exit at once.
    return {
        f"CODER_AGENT_SCRIPT_{system}_{architecture}": script
        for system, script in _AGENT_SCRIPTS.items()
        for architecture in _ARCHITECTURES
    }


def _identity(*path: str) -> str:
    """Return the UUID of a path, always the same one."""
    return str(uuid.uuid5(_IDENTITIES, "/".join(path)))
