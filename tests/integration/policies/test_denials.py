"""Everything that docs/security.md denies is denied, with the rights of the product's own roles alone."""

import re

import pytest

from integration.policies.cases.world import World, build
from integration.policies.denials import DENIED, WHO
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.manifests import REPOSITORY

PAGE = REPOSITORY / "docs" / "security.md"
TITLE = "## What each of them is denied"


@pytest.fixture(scope="module")
def world(cluster: Cluster, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A namespace whose users have the product's roles and no other rights."""
    admin = Kubectl(cluster.kubeconfig, module_namespace)
    return build(admin, tmp_path_factory.mktemp("users"), beyond_roles=False)


@pytest.mark.parametrize(
    ("who", "what"),
    [(who, what) for who, denied in DENIED.items() for what in denied],
    ids=lambda text: text.strip("`"),
)
def test_what_the_page_denies_is_denied(who: str, what: str, world: World) -> None:
    replies = [request.reply(world.users[WHO[who]], world.uids) for request in DENIED[who][what]]

    # "Forbidden" by RBAC and by the policies: no request fails for another reason.
    assert [str(reply) for reply in replies if reply.status not in {403, 422} or "forbidden" not in reply.refusal] == []


def test_the_page_denies_what_is_asked_for_and_nothing_else() -> None:
    table = PAGE.read_text(encoding="utf-8").partition(TITLE)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!who|-)(.+?) \| (.+?) \|$", table, re.MULTILINE)

    assert rows
    assert rows == [(who, what) for who, denied in DENIED.items() for what in denied]
