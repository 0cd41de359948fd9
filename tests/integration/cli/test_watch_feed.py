"""Watches of the command line on a real API server."""

import os
from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from typing_extensions import override

from integration.cli.conftest import People
from provisioner_operator.cli.api import client
from provisioner_operator.cli.api.client import NONE, Cluster, Params
from provisioner_operator.cli.api.kubeconfig import Choice, find_access
from provisioner_operator.cli.api.watch_feed import Changed, Feed, Listed
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body
from support.test_namespace import ProductNamespace, a_job

ARRIVES_WITHIN = 60.0


class ClusterWithBookmarks(Cluster):
    """A client that tells each bookmark which its reader has taken."""

    taken: "SimpleQueue[Body]" = SimpleQueue()

    @override
    def watch(self, path: str, since: str, params: Params = NONE) -> Iterator[tuple[str, Body]]:
        for kind, body in super().watch(path, since, params):
            yield kind, body
            if kind == "BOOKMARK":
                self.taken.put(body)


def test_a_feed_continues_after_a_bookmark_and_after_the_end_of_its_watch(
    quiet: ProductNamespace, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server sends a bookmark 2 s before it ends a watch.
    monkeypatch.setattr(client, "WATCH_SECONDS", 4)
    choice = Choice(kubeconfig=people.root.kubeconfig, namespace=quiet.namespace)
    api = ClusterWithBookmarks(find_access(choice, os.environ), timeout=30)
    feed = Feed(api, paths.jobs(quiet.namespace))
    assert isinstance(feed.next(ARRIVES_WITHIN), Listed)
    for _ in range(2):  # one in each watch
        api.taken.get(timeout=ARRIVES_WITHIN)
    quiet.admin.create(a_job("after-the-bookmarks", suspend=True))

    news = feed.next(ARRIVES_WITHIN)

    feed.close()
    assert isinstance(news, Changed)
    assert news.body["metadata"]["name"] == "after-the-bookmarks"
