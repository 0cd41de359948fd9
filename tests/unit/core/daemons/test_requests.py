"""The change of `spec.cordoned`: only where it changes something."""

import pytest

from provisioner_operator.core.daemons.requests import DaemonReport, cordon_patch
from provisioner_operator.core.model.request_errors import NothingToChangeError
from provisioner_operator.kube.object_states import daemon_report


def a_report(*, cordoned: bool) -> DaemonReport:
    return daemon_report({"metadata": {"name": "d1", "uid": "u"}, "spec": {"cordoned": cordoned}})


@pytest.mark.parametrize("cordoned", [True, False])
def test_the_change_is_valid_only_for_this_very_daemon(*, cordoned: bool) -> None:
    patch = cordon_patch(a_report(cordoned=not cordoned), cordoned=cordoned)
    assert patch.tests == (("/metadata/uid", "u"),)
    assert patch.sets == (("/spec/cordoned", cordoned),)


@pytest.mark.parametrize(("cordoned", "message"), [(True, "is cordoned already"), (False, "is not cordoned")])
def test_a_daemon_that_is_as_requested_is_left_alone(message: str, *, cordoned: bool) -> None:
    with pytest.raises(NothingToChangeError, match=message):
        cordon_patch(a_report(cordoned=cordoned), cordoned=cordoned)
