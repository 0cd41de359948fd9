"""A name leads to the object that bears it now, whatever is observed late of the former ones."""

from provisioner_operator.core.model.current_uids import CurrentUids

PLACE = ("acme", "dev")


def test_the_last_object_of_a_name_bears_it() -> None:
    uids = CurrentUids()
    assert uids.get(PLACE) == ""
    uids.add(PLACE, "former")
    uids.add(PLACE, "successor")
    assert uids.get(PLACE) == "successor"
    assert uids.get(("other", "dev")) == ""


def test_a_late_deletion_of_the_former_object_leaves_the_name_to_its_successor() -> None:
    uids = CurrentUids()
    uids.add(PLACE, "former")
    uids.add(PLACE, "successor")
    uids.remove(PLACE, "former")
    assert uids.get(PLACE) == "successor"
    uids.remove(PLACE, "successor")
    uids.remove(PLACE, "successor")
    assert uids.get(PLACE) == ""
