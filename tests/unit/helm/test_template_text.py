"""Objects become templates: what has no slot stays as it is, and a slot becomes its expression at the right column."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from chart.template_text import block, conditional, further, inline, line, optional, optional_scalar, render
from chart.value import SWITCH, TEXT, ChartValue, schema_file, switch, table, values_file

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
VALUES = [
    ChartValue("image.tag", "", TEXT, "Its tag."),
    ChartValue("image.digest", "", TEXT, "Its digest."),
    ChartValue("web", {"enabled": True}, {"type": "object"}, "The | server."),
    switch("keep", "Whether.", on=True),
]


@given(BODIES)
def test_what_has_no_slot_stays_as_it_is(body: object) -> None:
    written = render(body).replace('{{ "{{" }}', "{{")

    assert yaml.safe_load(written) == body


def test_braces_of_the_object_are_none_of_helms() -> None:
    assert render({"expr": "{{reason}}"}) == "expr: '{{ \"{{\" }}reason}}'\n"


def test_a_value_becomes_its_expression() -> None:
    assert render({"a": [{"b": inline("{{ .Values.b }}/x"), "c": 1}]}) == "a:\n- b: {{ .Values.b }}/x\n  c: 1\n"


def test_a_block_stands_below_its_key_also_behind_a_dash() -> None:
    assert render({"a": {"b": block(".Values.b")}}) == "a:\n  b: {{- toYaml .Values.b | nindent 4 }}\n"
    assert render([{"b": block(".Values.b")}]) == "- b: {{- toYaml .Values.b | nindent 4 }}\n"


def test_further_items_stand_where_the_others_stand() -> None:
    wanted = "a:\n- x\n{{- with .Values.a }}\n{{- toYaml . | nindent 0 }}\n{{- end }}\n"
    assert render({"a": ["x", further(".Values.a")]}) == wanted


def test_entries_are_left_out_without_a_value() -> None:
    wanted = "a:\n  {{- with .Values.b }}\n  b: {{- toYaml . | nindent 4 }}\n  {{- end }}\n"
    assert render({"a": {optional("b", ".Values.b"): None}}) == wanted
    assert render({optional_scalar("b", ".Values.b"): None}) == "{{- with .Values.b }}\nb: {{ . }}\n{{- end }}\n"


def test_conditions_surround_what_depends_on_them() -> None:
    assert render(conditional(".Values.a", {"b": 1})) == "{{- if .Values.a }}\nb: 1\n{{- end }}\n"
    assert render([line("{{- if .Values.a }}"), 1, line("{{- end }}")]) == "{{- if .Values.a }}\n- 1\n{{- end }}\n"


def test_values_have_their_comments_and_keep_their_order() -> None:
    text = values_file(VALUES, "Generated.")

    assert yaml.safe_load(text) == {"image": {"tag": "", "digest": ""}, "web": {"enabled": True}, "keep": True}
    assert text.startswith("# Generated.\n\nimage:\n  # Its tag.\n  tag: ''\n  # Its digest.\n")


def test_the_schema_knows_every_value_and_refuses_all_others_but_global() -> None:
    schema = yaml.safe_load(schema_file(VALUES))

    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == {"image", "web", "keep", "global"}
    assert schema["properties"]["image"]["additionalProperties"] is False
    assert schema["properties"]["image"]["properties"].keys() == {"tag", "digest"}
    assert schema["properties"]["keep"] == {**SWITCH, "description": "Whether."}


def test_the_table_escapes_what_would_end_a_cell() -> None:
    assert table(VALUES).splitlines()[4] == "| `web` | see values.yaml | The \\| server. |"
