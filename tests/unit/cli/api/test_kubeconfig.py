"""The choice of cluster and user, by kubectl's conventions."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner_operator.cli.api.kubeconfig import Choice, choose, files_to_read, find_access
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.kube.logins.kubeconfig import merged


def a_kubeconfig(name: str, **context: Any) -> dict[str, Any]:
    return {
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.example.com", "certificate-authority": "ca.crt"}}
        ],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name} | context}],
        "current-context": name,
    }


def test_the_first_file_to_name_a_thing_wins() -> None:
    first, second = a_kubeconfig("one"), a_kubeconfig("two")
    second["clusters"].append({"name": "one", "cluster": {"server": "https://other.example.com"}})
    document = merged([(Path("/a/config"), first), (Path("/b/config"), second)])
    assert document["current-context"] == "one"
    assert [each["name"] for each in document["contexts"]] == ["one", "two"]
    assert document["clusters"][0]["cluster"]["server"] == "https://one.example.com"
    assert len(document["clusters"]) == 2


def test_a_relative_path_is_relative_to_its_file() -> None:
    document = merged([(Path("/a/config"), a_kubeconfig("one")), (Path("/b/config"), a_kubeconfig("two"))])
    paths = [each["cluster"]["certificate-authority"] for each in document["clusters"]]
    assert paths == ["/a/ca.crt", "/b/ca.crt"]


def test_only_the_chosen_context_is_left() -> None:
    document = merged([(Path("/a"), a_kubeconfig("one")), (Path("/b"), a_kubeconfig("two", namespace="acme"))])
    access = choose(document, Choice(context="two"), "/a, /b")
    assert access.server == "https://two.example.com"
    assert access.namespace == "acme"
    assert [each["name"] for each in access.document["users"]] == ["two"]


def test_the_command_lines_namespace_goes_before_the_contexts() -> None:
    document = merged([(Path("/a"), a_kubeconfig("one", namespace="acme"))])
    assert choose(document, Choice(namespace="other"), "/a").namespace == "other"


def test_without_a_namespace_it_is_the_default_one() -> None:
    assert choose(merged([(Path("/a"), a_kubeconfig("one"))]), Choice(), "/a").namespace == "default"


def test_an_unknown_context_is_reported_with_the_known_ones() -> None:
    document = merged([(Path("/a"), a_kubeconfig("one")), (Path("/b"), a_kubeconfig("two"))])
    with pytest.raises(UsageError, match=r"no context 'three' in /a\. Known: one, two"):
        choose(document, Choice(context="three"), "/a")


def test_a_context_without_its_cluster_is_reported() -> None:
    document = merged([(Path("/a"), a_kubeconfig("one") | {"clusters": []})])
    with pytest.raises(UsageError, match="cluster of context 'one'"):
        choose(document, Choice(), "/a")


def test_a_context_without_a_user_is_anonymous() -> None:
    document = merged([(Path("/a"), a_kubeconfig("one"))])
    del document["contexts"][0]["context"]["user"]
    assert choose(document, Choice(), "/a").document["users"] == []


def test_the_files_are_those_of_the_variable_in_their_order() -> None:
    assert files_to_read(Choice(), {"KUBECONFIG": "/a::/b"}) == [Path("/a"), Path("/b")]
    assert files_to_read(Choice(kubeconfig=Path("/c")), {"KUBECONFIG": "/a"}) == [Path("/c")]
    assert files_to_read(Choice(), {})[0].name == "config"


def test_a_missing_file_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(a_kubeconfig("one")), encoding="utf-8")
    access = find_access(Choice(), {"KUBECONFIG": f"{tmp_path / 'none'}:{file}"})
    assert access.server == "https://one.example.com"


def test_a_missing_file_is_reported_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no kubeconfig at .*none: name one with --kubeconfig"):
        find_access(Choice(), {"KUBECONFIG": str(tmp_path / "none")})


@pytest.mark.parametrize("text", ["[1, 2]", "clusters: 7", "users: [{user: {}}]", "a: b: c"])
def test_a_file_that_is_no_kubeconfig_is_reported(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="kubeconfig"):
        find_access(Choice(kubeconfig=file), {})


def test_a_tokens_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    document = a_kubeconfig("one") | {"users": [{"name": "one", "user": {"tokenFile": "token"}}]}
    access = choose(merged([(tmp_path / "config", document)]), Choice(), "config")
    assert access.document["users"][0]["user"]["token"] == "secret"
