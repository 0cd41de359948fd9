"""Compare versions with a constraint in Terraform's syntax, by PEP 440, which means the same by other signs."""

from packaging.specifiers import SpecifierSet
from packaging.version import Version

_OPERATORS = {"=": "==", "": "==", "~>": "~="}
"""Those that PEP 440 writes in another way."""


def satisfies(version: Version, constraint: str) -> bool:
    """Return whether the version meets all conditions; as in Terraform, a pre-release counts as its release."""
    conditions = SpecifierSet(",".join(_specifier(each.strip()) for each in constraint.split(",")))
    return conditions.contains(version.base_version)


def _specifier(condition: str) -> str:
    number = condition.lstrip("=!<>~ ")
    operator = condition.removesuffix(number).strip()
    if operator == "~>" and "." not in number:
        # The only part may grow.
        operator = ">="
    return _OPERATORS.get(operator, operator) + number
