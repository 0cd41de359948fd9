"""Plans in Secrets: they come back as they were, or not at all."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.api.v1alpha1.job import PlanReference
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.terraform import kept_plan
from provisioner_operator.daemon.terraform.kept_plan import LOCK_FILE, PLAN_FILE, KeptPlan, PlanKeeper, read_kept_plan
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from unit.daemon.builders import Objects, a_secret, a_task

TASK = a_task("dev-1", type="WorkspacePlan", keepPlan=True)
PLAN = KeptPlan(b"a plan" * 9, b"the locks")


def made(folder: Path, plan: KeptPlan = PLAN) -> PlanKeeper:
    """The keeper of a run that has just planned."""
    plan.write(folder)
    return PlanKeeper(Objects(), TASK.job, folder)


def stored_by(keeper: PlanKeeper) -> Objects:
    assert isinstance(keeper.client, Objects)
    return keeper.client


def read_back(server: Any, digest: str, *, workspace: str = "dev") -> KeptPlan:
    job = a_task("dev-2", workspaceRef={"name": workspace}).job
    return asyncio.run(read_kept_plan(server, job, PlanReference(job="dev-1", digest=digest)))


@pytest.mark.parametrize("plan", [PLAN, KeptPlan(b"a plan", b"")])
def test_a_plan_is_kept_in_chunks_that_its_job_owns_and_applied_as_it_was(
    plan: KeptPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_plan, "CHUNK_BYTES", 10)
    keeper = made(tmp_path, plan)

    end = asyncio.run(keeper.keep())

    assert end.failure is None
    assert keeper.digest == hashlib.sha256(plan.packed()).hexdigest()
    secrets = stored_by(keeper).objects.values()
    assert len(secrets) > 1
    for secret in secrets:
        assert (secret["type"], secret["immutable"]) == ("provisioner.dev/kept-plan", True)
        assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == ["uid-of-dev-1"]
    assert read_back(keeper.client, keeper.digest) == plan

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / LOCK_FILE).write_text("of the source")
    plan.write(fresh)
    assert (fresh / PLAN_FILE).read_bytes() == plan.plan
    assert (fresh / LOCK_FILE).exists() is bool(plan.lock_file)


def test_a_request_whose_answer_was_lost_is_taken_for_done_and_no_other(tmp_path: Path) -> None:
    keeper = made(tmp_path)
    asyncio.run(keeper.keep())

    assert asyncio.run(keeper.keep()).failure is None
    KeptPlan(b"another", b"").write(tmp_path)
    failure = asyncio.run(keeper.keep()).failure
    assert failure is not None
    assert failure.message.startswith("The plan could not be kept for its approval: ")


def test_a_plan_that_cannot_be_kept_fails_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = made(tmp_path)
    monkeypatch.setattr(kept_plan, "CHUNK_BYTES", 1)
    monkeypatch.setattr(kept_plan, "MOST_CHUNKS", 2)

    failure = asyncio.run(keeper.keep()).failure

    assert failure is not None
    assert "and at most 2 are kept" in failure.message
    assert keeper.digest is None


def test_another_plan_than_the_approved_one_is_not_applied(tmp_path: Path) -> None:
    keeper = made(tmp_path)
    asyncio.run(keeper.keep())
    digest = str(keeper.digest)

    for wanted, workspace, says in (
        ("0" * 64, "dev", "is not the one that was approved"),
        (digest, "other", "is one of workspace dev, not other"),
    ):
        with pytest.raises(UnpreparedError, match=says) as raised:
            read_back(keeper.client, wanted, workspace=workspace)
        assert raised.value.failure.reason is EndReason.PLAN_UNAVAILABLE


@pytest.mark.parametrize("stored", [{}, {paths.secret("acme", "tfplan-dev-1-0"): a_secret(plan="x")}])
def test_a_plan_that_is_gone_or_damaged_is_not_applied(stored: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(UnpreparedError, match="The approved plan of job dev-1 could not be read") as raised:
        read_back(Objects(stored), "0" * 64)
    assert raised.value.failure.reason is EndReason.PLAN_UNAVAILABLE


def test_a_plan_that_may_not_be_read_is_not_applied() -> None:
    server = Objects()
    server.failure = ForbiddenError(403, "not permitted")
    with pytest.raises(UnpreparedError, match="not permitted"):
        read_back(server, "0" * 64)
