import pytest

from provisioner_operator.daemon.execution.leftovers import is_leftover


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        *((name, True) for name in ("errored.tfstate", "terraform.tfstate", "terraform.tfstate.backup", ".terraform")),
        *((name, True) for name in ("terraform.tfstate.d", "terraform.tfstate.1700000000.backup")),
        *((name, True) for name in (".terraform/modules/modules.json", "modules/a/terraform.tfstate")),
        *(
            (name, False)
            for name in (".terraform.lock.hcl", "terraform.tfvars", "main.tf", "my.tfstate", "terraform.tf")
        ),
    ],
)
def test_what_another_run_left_is_no_part_of_a_source(name: str, left_out: bool) -> None:  # noqa: FBT001
    assert is_leftover(name) is left_out
