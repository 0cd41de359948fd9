"""`jobs retry`: submit the spec of an ended job again, as a new job; or ask its workspace or template for a new one."""

import sys

from provisioner_operator.cli.api.request_errors import as_cli_errors, precondition_error
from provisioner_operator.cli.errors import AlreadyExistsError, require
from provisioner_operator.cli.jobs.retry_by_owner import retry_by_owner
from provisioner_operator.cli.output import formats
from provisioner_operator.cli.session import Session
from provisioner_operator.core.jobs.retry import most_retries, require_ended, retry_manifest, retry_names
from provisioner_operator.core.workspaces.retry_by_owner import owner_of
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import job_state, meta_of


def retry_job(session: Session, name: str, new_name: str | None, *, dry_run: bool, form: str | None) -> None:
    """Submit the job again. Raises PreconditionError if it has not ended."""
    if form is not None:
        formats.checked(form)
    body = session.cluster.get(paths.job(session.namespace, name))
    with as_cli_errors():
        require_ended(job_state(body))
    if (owner := owner_of(name, body["spec"])) is not None:
        require(
            new_name is None and form is None,
            f"The job {name!r} is retried by its {owner.kind}, which names the new job: leave out --name and -o.",
        )
        session.terminal.say(f"{name}: {retry_by_owner(session.cluster, session.namespace, owner, dry_run=dry_run)}")
        return
    for candidate in [new_name] if new_name else retry_names(name):
        manifest = retry_manifest(body, meta_of(body), candidate)
        try:
            created = session.cluster.create(paths.jobs(session.namespace), manifest, dry_run=dry_run)
        except AlreadyExistsError:
            if new_name:
                raise
            continue
        if form is not None:
            formats.write_one(sys.stdout, form, created)
        else:
            session.terminal.say(f"{meta_of(created).name}: submitted{' (dry run)' if dry_run else ''}")
        return
    raise precondition_error(most_retries(name))
