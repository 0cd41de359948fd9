"""The processes that reported as one daemon: which of them are certainly gone."""

from provisioner_operator.core.daemons.incarnations import Instances


def test_a_process_is_gone_once_another_reports_in_its_place() -> None:
    instances = Instances("first")
    assert not instances.is_former("first")
    assert not instances.observe("second", fresh=False)
    assert (instances.is_former("first"), instances.is_former("second")) == (True, False)
    instances.observe("first", fresh=False)
    assert not instances.is_former("first"), "it reports again"


def test_nothing_is_gone_while_no_process_reports() -> None:
    instances = Instances("first")
    instances.observe(None, fresh=True)
    assert not instances.is_former("first")
    assert not instances.doubt("first")
    assert not Instances(None).doubt("first")


def test_a_process_that_was_never_seen_is_gone_only_if_a_read_that_was_begun_since_does_not_find_it() -> None:
    instances = Instances("present")
    assert not instances.ask()
    assert instances.doubt("unknown")
    assert not instances.observe("present", fresh=True), "the read was begun before"
    assert not instances.is_former("unknown")

    assert instances.ask()
    assert not instances.observe("present", fresh=False)
    assert instances.observe("present", fresh=True)
    assert instances.is_former("unknown")
    assert not instances.doubt("unknown")
    assert not instances.ask(), "nothing is in doubt any more"


def test_a_process_that_the_read_finds_is_not_gone() -> None:
    instances = Instances("present")
    instances.doubt("next")
    instances.ask()
    assert instances.observe("next", fresh=True)
    assert (instances.is_former("next"), instances.is_former("present")) == (False, True)
    assert not instances.doubt("next")
