"""The tests' own watch, whose failure would hide others."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cluster import watching
from support.cluster.kubectl import Kubectl
from support.cluster.watching import Watch


def an_event(kind: str, **metadata: str) -> str:
    return json.dumps({"type": kind, "object": {"kind": "ProvisionerJob", "metadata": metadata, "status": {}}})


ERROR = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "metadata": {}}})
STATUS = json.dumps({"type": "MODIFIED", "object": {"kind": "Status", "metadata": {}}})


@pytest.fixture
def kubectl_printing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watch]:
    """Return a function that makes a watch of kubectl processes, which print these outputs in turn and then hang."""

    def make(*outputs: str) -> Watch:
        for number, output in enumerate(outputs):
            (tmp_path / f"output-{number}").write_text(output + "\n")
        script = tmp_path / "kubectl"
        script.write_text(
            f"#!/bin/sh\ncd {tmp_path}\nn=$(ls started-* 2>/dev/null | wc -l)\ntouch started-$n\n"
            "cat output-$n 2>/dev/null || cat output-0\nexec sleep 60\n"
        )
        script.chmod(0o755)
        monkeypatch.setattr(watching, "find_kubectl", lambda: script)
        return Watch(Kubectl(tmp_path / "kubeconfig", "test"), "pj")

    return make


@pytest.mark.parametrize("end", [ERROR, STATUS], ids=["error", "status"])
def test_a_watch_that_the_api_server_ends_lists_again(kubectl_printing: Callable[..., Watch], end: str) -> None:
    watch = kubectl_printing(
        an_event("ADDED", name="first", resourceVersion="1") + "\n" + end,
        an_event("ADDED", name="second", resourceVersion="2"),
    )
    watch.open()
    watch.until("second", lambda _: True)
    assert set(watch.latest()) == {"first", "second"}
    watch.close()


def test_a_watch_that_dies_fails_its_test(kubectl_printing: Callable[..., Watch]) -> None:
    watch = kubectl_printing(an_event("ADDED"))  # an object without a name
    watch.open()
    with pytest.raises(AssertionError, match="the watch of pj stopped"):
        watch.until("dev", "Running")
    with pytest.raises(AssertionError, match="the watch of pj stopped"):
        watch.close()
