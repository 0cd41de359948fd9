"""Ends of runs that produced more than the API server stores, or something that it refuses."""

import pytest

from integration.daemon.conftest import Office
from provisioner_operator.api.v1alpha1.limits import LONGEST_OUTPUT, MOST_OUTPUTS

LARGEST_FILE = 250 * 1024
LARGEST_VALUE = 60 * 1024
"""Two of these files, three of these values and the outputs below are more than etcd accepts for one object."""
NAMED = """
output "größe" { value = "lost" }
output "kept" { value = "kept" }
output "long" { value = join("", [for i in range(1000) : "xxxxx"]) }
"""


@pytest.fixture
def tofu_office(office: Office) -> Office:
    office.start_terraform("d1")
    return office


def test_an_output_that_is_refused_costs_no_other_detail(tofu_office: Office) -> None:
    spec = {
        "transition": "Start",
        "workspaceRef": {"name": "dev"},
        "source": {"inline": {"files": {"main.tf": NAMED}}},
    }
    tofu_office.submit_spec("one", spec)
    status = tofu_office.await_phase("one", "Completed")
    assert [output["name"] for output in status["outputs"]] == ["kept", "long"]
    assert status["outputs"][1]["value"].endswith("x… [cut: 5000 characters]")
    assert "Output größe is left out of the job's status" in tofu_office.log("one")
    assert [timing["stage"] for timing in status["timings"]] == ["init", "plan", "apply"]


def test_a_run_ends_although_etcd_has_no_room_for_its_details(tofu_office: Office) -> None:
    four_bytes = f'join("", [for i in range({LONGEST_OUTPUT // 8}) : "{8 * chr(0x1F511)}"])'
    outputs = "".join(f'output "o{number}" {{ value = {four_bytes} }}\n' for number in range(MOST_OUTPUTS))
    files = {"main.tf": outputs} | {f"{name}.txt": "x" * LARGEST_FILE for name in ("a", "b")}
    values = [{"name": f"v{number}", "value": "x" * LARGEST_VALUE} for number in range(3)]
    spec = {"transition": "Start", "workspaceRef": {"name": "dev"}, "source": {"inline": {"files": files}}}
    tofu_office.submit_spec("one", spec | {"variables": values})
    status = tofu_office.await_phase("one", "Completed")
    assert "outputs" not in status
    assert "Its outputs, resources and stages could not be recorded" in status["message"]
