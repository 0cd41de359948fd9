import asyncio

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.names import PATHS_ANNOTATION
from provisioner_operator.daemon.execution.provisioner import Task, UnpreparedError
from provisioner_operator.daemon.git.request import Credentials, GitRequest
from provisioner_operator.daemon.inputs.source import read_files, read_git_request
from provisioner_operator.kube import paths
from unit.daemon.builders import Objects, a_secret, a_task

LOGIN = paths.secret("acme", "login")
URL = "https://git.example.com/team/templates.git"


def files(task: Task, objects: Objects) -> dict[str, bytes]:
    return dict(asyncio.run(read_files(objects, task.model)))


def test_inline_files_are_taken_as_they_are() -> None:
    assert files(a_task(source={"inline": {"files": {"main.tf": "é"}}}), Objects()) == {"main.tf": "é".encode()}


def test_a_config_map_gives_its_text_and_its_binary_files() -> None:
    objects = Objects({paths.config_map("acme", "v3"): {"data": {"main.tf": "x"}, "binaryData": {"a.zip": "AAE="}}})
    assert files(a_task(source={"configMapRef": {"name": "v3"}}), objects) == {"main.tf": b"x", "a.zip": b"\x00\x01"}


@pytest.mark.parametrize("name", ["../main.tf", "..", "a/../../b.tf", "/etc/b.tf", "a//b.tf", "a/", "a/./b", "a\0"])
def test_a_file_cannot_leave_the_directory(name: str) -> None:
    with pytest.raises(UnpreparedError, match="is no path of a file below the source"):
        files(a_task(source={"inline": {"files": {name: ""}}}), Objects())


def test_a_file_may_be_in_a_folder_but_no_folder_is_a_file() -> None:
    named = {"main.tf": "", "modules/a/main.tf": "x"}
    assert list(files(a_task(source={"inline": {"files": named}}), Objects())) == list(named)
    with pytest.raises(UnpreparedError, match=r"'modules' is a file, and the folder of 'modules/a/main.tf'"):
        files(a_task(source={"inline": {"files": {**named, "modules": ""}}}), Objects())


def test_a_config_map_may_have_files_in_folders_by_its_annotation() -> None:
    def a_source(paths: str) -> Objects:
        body = {"metadata": {"annotations": {PATHS_ANNOTATION: paths}}, "data": {"a": "x"}}
        return Objects({paths_of_v3: body})

    paths_of_v3 = paths.config_map("acme", "v3")
    task = a_task(source={"configMapRef": {"name": "v3"}})
    assert files(task, a_source('{"a": "modules/a.tf"}')) == {"modules/a.tf": b"x"}
    with pytest.raises(UnpreparedError, match=r"cannot be read: annotation provisioner.dev/paths is no JSON object"):
        files(task, a_source("x"))


def test_a_missing_source_is_named_with_its_remedy() -> None:
    with pytest.raises(UnpreparedError) as caught:
        files(a_task(source={"configMapRef": {"name": "v3"}}), Objects())
    assert caught.value.failure.reason is EndReason.SOURCE_UNAVAILABLE
    assert str(caught.value).startswith("ConfigMap v3 in namespace acme, the job's source, does not exist. Create it")


def git_request(objects: Objects, **source: object) -> GitRequest:
    task = a_task(source={"git": {"url": URL, "secretRef": {"name": "login"}, **source}})
    assert task.model.spec.source is not None
    assert task.model.spec.source.git is not None
    return asyncio.run(read_git_request(objects, task.model, task.model.spec.source.git))


@pytest.mark.parametrize(
    ("secret", "username", "password"),
    [
        (a_secret(username="joe", password="hunter2"), "joe", "hunter2"),
        (a_secret(token="abc"), "git", "abc"),
        (a_secret(token="abc\n"), "git", "abc"),
        (a_secret(token="abc", username="joe", password="hunter2"), "joe", "hunter2"),
    ],
)
def test_git_credentials_are_a_username_and_a_password_or_a_token(
    secret: dict[str, object], username: str, password: str
) -> None:
    request = git_request(Objects({LOGIN: secret}), ref="v1", path="dev")
    assert request == GitRequest(URL, "v1", path="dev", credentials=Credentials("login", username, password))


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "Secret login in namespace acme, for the login at the git server, does not exist"),
        (a_secret(username="joe"), "Secret login in namespace acme has no key password for the login"),
        (a_secret(token="x" * 20_000), "exceeds 16384 characters"),
    ],
)
def test_git_credentials_that_cannot_be_had_are_named_with_their_remedy(
    secret: dict[str, object] | None, said: str
) -> None:
    with pytest.raises(UnpreparedError, match=said) as caught:
        git_request(Objects({} if secret is None else {LOGIN: secret}))
    assert caught.value.failure.reason is EndReason.SOURCE_UNAVAILABLE


@pytest.mark.parametrize("url", ["file:///srv/templates.git", "ssh://git@example.com/a.git", "/srv/templates.git"])
def test_a_local_path_is_refused_by_the_daemon_too(url: str) -> None:
    with pytest.raises(UnpreparedError, match="Local paths and other protocols are not supported"):
        git_request(Objects({LOGIN: a_secret(token="abc")}), url=url)


def test_of_git_credentials_the_password_is_hidden_and_a_username_that_may_be_a_token() -> None:
    assert Credentials("login", "joe", "hunter2").hidden == ("hunter2", "am9lOmh1bnRlcjI=")
    token = "ghp_0123456789abcdef0123"
    assert token in Credentials("login", token, "x-oauth-basic").hidden
