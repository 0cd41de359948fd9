"""The decoder that tests of Coder's API rely on refuses what Go would, and what Coder's server would not send."""

from typing import Any

import pytest

from support.coder.go_decoder import problems_of

NIL = "00000000-0000-0000-0000-000000000000"
LINE: dict[str, Any] = {
    "id": 1,
    "created_at": "2027-01-15T08:00:00.5Z",
    "log_source": "provisioner",
    "log_level": "info",
    "stage": "init",
    "output": "",
}


@pytest.mark.parametrize(
    ("go_type", "value"),
    [
        ("ProvisionerJobLog", LINE),
        ("[]ProvisionerJobLog", []),
        ("Response", {"message": "No."}),
        ("uuid.UUID", NIL),
        ("*uuid.UUID", None),
        ("NullTime", None),
        ("map[string]string", {"zone": "eu"}),
        ("int32", 2**31 - 1),
        ("time.Time", "0001-01-01T00:00:00Z"),
        ("time.Time", "2027-01-15T08:00:00+01:00"),
    ],
)
def test_what_can_be_decoded(go_type: str, value: object) -> None:
    assert problems_of(go_type, value) == []


@pytest.mark.parametrize(
    ("go_type", "value"),
    [
        ("ProvisionerJobLog", LINE | {"id": "1"}),
        ("ProvisionerJobLog", LINE | {"id": True}),
        ("ProvisionerJobLog", LINE | {"created_at": "2027-01-15 08:00:00Z"}),
        ("ProvisionerJobLog", LINE | {"created_at": "2027-13-15T08:00:00Z"}),
        ("ProvisionerJobLog", LINE | {"created_at": "2027-01-15T08:00:00"}),
        ("ProvisionerJobLog", LINE | {"log_level": "notice"}),
        ("ProvisionerJobLog", LINE | {"stage": None}),
        ("ProvisionerJobLog", LINE | {"color": "red"}),
        ("ProvisionerJobLog", {key: value for key, value in LINE.items() if key != "stage"}),
        ("ProvisionerJobLog", None),
        ("[]ProvisionerJobLog", None),
        ("[]ProvisionerJobLog", {}),
        ("Response", {"message": "No.", "detail": None}),
        ("uuid.UUID", "0"),
        ("uuid.UUID", NIL.replace("-", "")),
        ("map[string]string", {"zone": None}),
        ("int32", 2**31),
        ("bool", 1),
    ],
)
def test_what_cannot(go_type: str, value: object) -> None:
    assert problems_of(go_type, value) != []
