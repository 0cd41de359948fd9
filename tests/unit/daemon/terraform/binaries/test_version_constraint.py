"""Constraints as Terraform documents them."""

import pytest
from packaging.version import Version

from provisioner_operator.daemon.terraform.binaries.version_constraint import satisfies


@pytest.mark.parametrize(
    ("constraint", "admitted", "excluded"),
    [
        ("1.9", ["1.9.0"], ["1.9.1", "1.10.0"]),
        ("= 1.9.2", ["1.9.2"], ["1.9.3"]),
        ("!= 1.9.2", ["1.9.1", "2.0.0"], ["1.9.2"]),
        ("> 1.9", ["1.9.1"], ["1.9.0", "1.8.9"]),
        (">=1.9,<2", ["1.9.0", "1.14.2"], ["1.8.9", "2.0.0"]),
        ("<= 1.11.4 , >= 1.10", ["1.10.0", "1.11.4"], ["1.11.5", "1.9.9"]),
        ("~> 1.9", ["1.9.0", "1.14.2"], ["1.8.9", "2.0.0"]),
        ("~> 1.9.2", ["1.9.2", "1.9.10"], ["1.9.1", "1.10.0"]),
        ("~> 1", ["1.0.0", "2.1.0"], ["0.15.0"]),
        (">= 1.10", ["1.10.0-rc1", "1.11.0-dev"], ["1.9.0-alpha20250101"]),
    ],
)
def test_a_constraint_admits_and_excludes(constraint: str, admitted: list[str], excluded: list[str]) -> None:
    assert [each for each in (*admitted, *excluded) if satisfies(Version(each), constraint)] == admitted
