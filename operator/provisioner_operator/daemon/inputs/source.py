"""Read a job's source: its files, or the request and the credentials by which they are fetched from git.

Used by the provisioners.
"""

import base64
from collections.abc import Mapping
from pathlib import PurePosixPath

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.inputs import GitSource
from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.core.model.file_paths import from_config_map
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.git.request import FetchError, GitRequest
from provisioner_operator.daemon.inputs.logins import read_login
from provisioner_operator.daemon.inputs.objects import Reader, Secrets, read_object
from provisioner_operator.kube import paths


async def read_files(reader: Reader, job: ProvisionerJob) -> Mapping[str, bytes]:
    """Return the job's files by name, which may be a path. Raises UnpreparedError (SourceUnavailable)."""
    source = job.spec.source
    if source is None:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, "The job has no source. Submit it with spec.source.")
    if source.inline is not None:
        files = {name: text.encode() for name, text in source.inline.files.items()}
    elif source.config_map_ref is not None:
        files = await _read_config_map(reader, job.metadata.namespace, source.config_map_ref.name)
    else:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, "The job's source names neither files nor a ConfigMap.")
    _check_names(files)
    return files


def _check_names(files: Mapping[str, bytes]) -> None:
    for name in files:
        if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE, f"{name!r} is no path of a file below the source. Rename it."
            )
        if folder := next((str(each) for each in PurePosixPath(name).parents if str(each) in files), None):
            raise UnpreparedError(
                EndReason.SOURCE_UNAVAILABLE, f"{folder!r} is a file, and the folder of {name!r}. Rename one of them."
            )


async def read_git_request(reader: Reader, job: ProvisionerJob, source: GitSource) -> GitRequest:
    """Return the request for the job's fetch, credentials included. Raises UnpreparedError (SourceUnavailable)."""
    credentials = None
    if source.secret_ref is not None:
        secrets = Secrets(reader, job.metadata.namespace, EndReason.SOURCE_UNAVAILABLE)
        credentials = (await read_login(secrets, source.secret_ref.name, "the login at the git server")).credentials
    request = GitRequest(source.url, source.ref, source.commit, source.path, credentials)
    try:
        request.check()
    except FetchError as error:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, str(error)) from None
    return request


async def _read_config_map(reader: Reader, namespace: str, name: str) -> dict[str, bytes]:
    label = f"ConfigMap {name} in namespace {namespace}, the job's source,"
    body = await read_object(reader, paths.config_map(namespace, name), label, EndReason.SOURCE_UNAVAILABLE)
    try:
        named = from_config_map(body)
    except ValueError as error:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, f"{label} cannot be read: {error}. Correct it.") from None
    files = {path: str(text).encode() for path, text in named.data.items()}
    files |= {path: base64.b64decode(str(data)) for path, data in named.binary_data.items()}
    if not files:
        raise UnpreparedError(EndReason.SOURCE_UNAVAILABLE, f"{label} is empty. Put the Terraform files into it.")
    return files
