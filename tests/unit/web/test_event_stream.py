"""The format of server-sent events."""

from provisioner_operator.web.event_stream import event_bytes


def test_an_event_has_a_name_an_id_and_its_lines() -> None:
    assert event_bytes("view", "<p>\n</p>", "7") == b"event: view\nid: 7\ndata: <p>\ndata: </p>\n\n"
    assert event_bytes("end", "signed-out") == b"event: end\ndata: signed-out\n\n"
