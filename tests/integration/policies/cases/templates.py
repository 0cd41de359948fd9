"""Deletions of templates from which workspaces are made."""

from integration.policies.cases.case import Case, delete

_IN_USE = '2 workspaces are made from template "{}"'


def _case(title: str, who: str, name: str, *, refused: bool = False) -> Case:
    says = _IN_USE.format(name) if refused else None
    return Case("template-in-use", title, who, delete("wst", name), refused=says)


CASES = (
    _case("a template in use", "namespace-admin", "used", refused=True),
    _case("a template in use, whose annotation forbids it", "namespace-admin", "used-false", refused=True),
    _case("a template in use, whose annotation allows it", "namespace-admin", "used-true"),
    _case("a template that is not used", "namespace-admin", "unused"),
    _case("a template in use, by an account", "system:serviceaccount:elsewhere:robot", "used", refused=True),
    *(
        _case(f"a template in use, by {who}", who, "used")
        for who in ("system:a-component", "system:serviceaccount:kube-system:collector")
    ),
)
