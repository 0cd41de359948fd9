"""Selections from the options of commands."""

import time
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.jobs.filtering import checked_targets, selection_of

NOTHING: dict[str, Any] = {
    "statuses": (),
    "initiator": None,
    "tags": (),
    "type_name": None,
    "template": None,
    "workspace": None,
    "daemon": None,
    "since": None,
}


def test_an_age_becomes_the_earliest_creation() -> None:
    before = time.time()
    selection = selection_of(**NOTHING | {"since": 60.0, "type_name": "templateimport", "statuses": ("failed",)})
    assert selection.since is not None
    assert before - 60 <= selection.since <= time.time() - 60
    assert (selection.type, selection.phases) == (JobType.TEMPLATE_IMPORT, frozenset({Phase.FAILED}))


def test_jobs_to_cancel_are_named_or_selected_but_not_both() -> None:
    assert checked_targets(["dev-7"], (), (), None).phases == frozenset()
    assert checked_targets((), ("stuck",), (("a", "1"),), None).stuck
    with pytest.raises(UsageError, match="Name the jobs to cancel, or select them with"):
        checked_targets((), (), (), None)
    with pytest.raises(UsageError, match="not both"):
        checked_targets(["dev-7"], (), (), "team=a")
