"""`workspaces plan`: show what a build of a workspace would change, by a job that changes nothing."""

import secrets
import string

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import plan_job_name
from provisioner_operator.cli.api.client import Cluster
from provisioner_operator.cli.api.request_errors import as_cli_errors
from provisioner_operator.cli.errors import AlreadyExistsError, CliError, Exit, NotFoundError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view.follow import follow
from provisioner_operator.cli.view.loading import read_job
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.workspace_preview import PreviewRequest, preview_job
from provisioner_operator.core.workspaces.records import Build, Workspace
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job_model
from provisioner_operator.kube.workspace_job_parsing import build_of
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace

_MOST_NAMES = 5
"""Names that are tried for the job; each is one of a million."""
_KEY_LETTERS = 4


def plan_workspace(session: Session, name: str, request: PreviewRequest, *, wait: bool) -> Exit:
    """Submit the job of the plan, wait for its end and print its result. Raises PreconditionError if there is nothing to plan."""
    job = _submit(session, name, request)
    if not wait:
        session.terminal.say(f"{job}: submitted")
        return Exit.OK
    session.terminal.note(f"{job} is submitted; its plan follows. If you interrupt this: `jobs show {job}`.", "dim")
    return _report(session, _await_end(session, job))


def _submit(session: Session, name: str, request: PreviewRequest) -> str:
    """Create the job and return its name."""
    cluster, namespace = session.cluster, session.namespace
    try:
        workspace = parse_workspace(cluster.get(paths.workspace(namespace, name)))
        template = parse_template(cluster.get(paths.template(namespace, workspace.template)))
        builds = unfinished_builds(cluster, workspace)
    except UnparseableObjectError as error:
        raise CliError(f"This version cannot read workspace {name}, its template or its build: {error}") from error
    for _ in range(_MOST_NAMES):
        job = plan_job_name(name, "".join(secrets.choice(string.ascii_lowercase) for _ in range(_KEY_LETTERS)))
        with as_cli_errors():
            manifest = preview_job(job, workspace, template, builds, request)
        try:
            cluster.create(paths.jobs(namespace), manifest)
        except AlreadyExistsError:
            continue
        return job
    raise AlreadyExistsError(f"{_MOST_NAMES} names for the job of the plan are taken. Try again.")


def unfinished_builds(cluster: Cluster, workspace: Workspace) -> dict[int, Build]:
    """Return the workspace's builds that have not ended. From their jobs: its status records a build seconds later."""
    selector = f"spec.workspaceRef.name={workspace.name},{selectors.UNFINISHED_JOBS}"
    jobs = cluster.list(paths.jobs(workspace.namespace), {"fieldSelector": selector})
    builds = (build_of(parse_job_model(body)) for body in jobs)
    return {each.record.number: each for each in builds if each is not None and each.workspace_uid == workspace.uid}


def _await_end(session: Session, name: str) -> ProvisionerJob:
    """Return the job once it has ended; each new reason for its wait is printed to standard error."""
    reported = ""
    for _, job in follow(session.cluster, session.namespace, (name,), timeout=None, note=session.terminal.note):
        if job is None:
            raise NotFoundError(f"The job {name} was deleted before it ended.")
        if job.phase in TERMINAL:
            break
        if job.phase is Phase.PENDING and job.message and job.message != reported:
            session.terminal.note(job.message, "dim")
            reported = job.message
    _, model = read_job(session.cluster, session.namespace, name)
    return model


def _report(session: Session, model: ProvisionerJob) -> Exit:
    status, terminal = model.status, session.terminal
    message = f"{model.metadata.name}: {status.message or status.phase}"
    if status.phase is not Phase.COMPLETED:
        terminal.note(message)
        return Exit.FAILED
    terminal.say(message)
    for each in status.resources:
        terminal.say(f"  {each.action:<8} {each.address}")
    return Exit.OK
