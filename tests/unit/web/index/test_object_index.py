"""Objects are found by uid and name, and nothing is kept of those that are gone."""

from provisioner_operator.web.index.object_index import ObjectIndex
from provisioner_operator.web.index.rows import ObjectRow


def a_row(name: str = "one", *, uid: str = "", namespace: str = "acme") -> ObjectRow:
    return ObjectRow(namespace, name, uid or f"uid-of-{name}", 1, 0.0, b"{}")


def test_objects_are_listed_by_name_in_the_order_of_their_numbers() -> None:
    index = ObjectIndex()
    for name in ("d-10", "d-2"):
        index.put(a_row(name))
    index.put(a_row("d-1", namespace="other"))

    assert [row.name for row in index.of(["acme"])] == ["d-2", "d-10"]
    assert [row.name for row in index.of(["other", "acme"])] == ["d-1", "d-2", "d-10"]
    assert index.named("acme", "d-1") is None


def test_nothing_is_kept_of_objects_that_are_gone() -> None:
    index = ObjectIndex()
    # The second has the name of the first, whose removal was reported late.
    for uid in ("first", "second"):
        index.put(a_row(uid=uid))

    assert index.remove("second") == a_row(uid="second")
    assert index.remove("first") == a_row(uid="first")
    assert index.remove("first") is None
    assert vars(index) == vars(ObjectIndex())
