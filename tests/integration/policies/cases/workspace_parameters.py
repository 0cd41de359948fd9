"""Choices of a workspace that its template does not allow."""

from integration.policies.cases.case import Case, Request, create, spec
from support.builders.manifests import a_workspace_manifest


def _values(**chosen: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in chosen.items()]


def _new(template: str = "choices", **chosen: str) -> Request:
    return create(a_workspace_manifest("new", templateRef={"name": template}, parameters=_values(**chosen)))


def _changed(workspace: str, **chosen: str) -> Request:
    return spec("ws", workspace, parameters=_values(**chosen))


def _pinned(version: str, **chosen: str) -> Request:
    reference = {"name": "moved", "version": version}
    return create(a_workspace_manifest("new", templateRef=reference, parameters=_values(**chosen)))


def _case(title: str, request: Request, says: str | None = None) -> Case:
    return Case("workspace-parameters", title, "namespace-admin", request, refused=says)


def _mistyped(name: str, value: str) -> Case:
    demand = {"count": "a number such as 1", "gpu": "true or false", "disks": "a list of strings as JSON"}[name]
    return _unfit(name, value, demand)


def _unfit(name: str, value: str, demand: str) -> Case:
    says = f'template "choices" does not allow this: {name} is "{value}" and must be {demand}'
    return _case(f"{name} is {value}", _new(**{name: value}), says)


def _fit(name: str, value: str) -> Case:
    return _case(f"{name} may be {value}", _new(**{name: value}))


CASES = (
    _case(
        "a parameter that there is not", _new(sise="1"), 'template "choices" has no parameter sise; it has size, least'
    ),
    _case("no choice where all have a default", _new()),
    _case(
        "no choice where one has none", _new("demanding"), 'template "demanding" has no default for region: set a value'
    ),
    _case("another choice alone", _new("demanding", note="a"), "has no default for region: set a value"),
    _case("the choice that is demanded", _new("demanding", region="eu")),
    _case("one of the active version, where the import of the template failed", _new("failing", size="2")),
    _case(
        "one that only the template has, whose import failed",
        _new("failing", region="eu"),
        'version "former" has no parameter region; it has size',
    ),
    _case("one that only the template has, which is being imported", _new("importing", region="eu")),
    _case("one that only the template has, whose import failed before its last change", _new("edited", region="eu")),
    _case("one that only the template has, whose source is missing since a failure", _new("missing", region="eu")),
    _case("one of the active version, before the first status", _changed("unseen", size="2")),
    _case("a template that does not exist", _new("absent", anything="1")),
    *(_mistyped("count", value) for value in ("large", "1x", "x1", "1.", ".5", "")),
    *(_mistyped("gpu", value) for value in ("yes", "True")),
    *(
        _mistyped("disks", value)
        for value in ("", "z", "[z]", '["z"', '["z",]', '["z" "y"]', '["\\z"]', "[1]", '{"z": "y"}')
    ),
    *(_unfit("size", value, "at least 1 and at most 8") for value in ("9", "0")),
    _unfit("least", "0", "at least 1"),
    _unfit("most", "9", "at most 8"),
    _unfit("zone", "c", 'one of "a", "b"'),
    _unfit("team", "Core", "a match of ^[a-z]+$ (small letters)"),
    *(
        _fit(name, value)
        for name, value in (
            ("count", "-1.5"),
            ("size", "1"),
            ("size", "8"),
            ("least", "9"),
            ("most", "0"),
            ("gpu", "true"),
            ("gpu", "false"),
            ("zone", "b"),
            ("team", "edge"),
            ("disks", '["z"]'),
            ("disks", ' [ "z" , "\\u00e9\\\\\\"" ] '),
            ("disks", "[]"),
        )
    ),
    _case("an immutable one, before the first build", _changed("unbuilt", zone="b")),
    _case("an immutable one, once built", _changed("built", size="2", zone="b"), "zone cannot change once"),
    _case("an immutable one, as it was built", _changed("built", size="2", zone="a")),
    _case("a mutable one, once built", _changed("built", size="3")),
    _case("one that is new since the build", _changed("built", size="2", gpu="true")),
    _case("what does not fit and is not changed", _changed("unfit", size="5", gpu="true")),
    _case(
        "the value of another that does not fit",
        _changed("unfit", size="5", gpu="5"),
        'gpu is "5" and must be true or false',
    ),
    _case("what does not fit and is changed", _changed("unfit", size="6"), 'size is "6" and must be true or false'),
    _case("nothing that it chooses", spec("ws", "unfit", running=False)),
    _case("one that only the version has with which it was built", _changed("older", region="eu")),
    _case("one that only the template has", _changed("older", gpu="true"), 'version "moved-1" has no parameter gpu'),
    _case("one that only the template has, before a build has completed", _changed("broken", gpu="true")),
    _case("one that only the template has, for one that moves to it", _changed("mover", gpu="true")),
    _case(
        "one that only the built version has, for one that moves",
        _changed("mover", region="eu"),
        'template "moved" has no parameter region',
    ),
    _case("one that only the pinned version has", _pinned("moved-1", region="eu")),
    _case("a pin to a version whose parameters were not recorded", _pinned("moved-0", gpu="true")),
    _case("a pin to a version that there is not", _pinned("moved-9", gpu="true")),
)
