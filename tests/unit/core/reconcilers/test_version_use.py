"""Versions in use by workspaces, counted as workspaces come, change and go."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.reconcilers.version_use import VersionUse

TEMPLATES = (("acme", "a"), ("acme", "b"))
step = st.tuples(
    st.sampled_from(["dev-1", "dev-2", "dev-3"]),
    st.sampled_from(TEMPLATES),
    st.one_of(st.none(), st.frozensets(st.sampled_from("xyz"))),
)


@given(st.lists(step))
def test_the_versions_in_use_are_those_of_the_workspaces_that_exist(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    use = VersionUse()
    workspaces: dict[str, tuple[tuple[str, str], frozenset[str]]] = {}
    for uid, template, versions in steps:
        if versions is None:
            use.remove(uid)
            workspaces.pop(uid, None)
        else:
            is_news = workspaces.get(uid) != (template, versions)
            assert use.record(uid, template, versions) is is_news
            workspaces[uid] = (template, versions)
        for each in TEMPLATES:
            used = [versions for template, versions in workspaces.values() if template == each]
            assert use.versions_of(each) == frozenset().union(*used)
            assert use.workspaces_of(each) == {uid for uid, (template, _) in workspaces.items() if template == each}


def test_a_version_is_in_use_while_one_of_its_workspaces_exists() -> None:
    use = VersionUse()
    use.record("dev-1", TEMPLATES[0], frozenset("x"))
    use.record("dev-2", TEMPLATES[0], frozenset("xy"))
    use.remove("dev-2")
    assert use.versions_of(TEMPLATES[0]) == {"x"}
