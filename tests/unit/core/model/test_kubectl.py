"""Commands for people to copy: whatever their values are, a shell sees one word for each."""

import json
import shlex

from hypothesis import example, given
from hypothesis import strategies as st

from provisioner_operator.core.model.kubectl import merge_patch


@given(st.text(max_size=12) | st.text("'\"\\$`;&|\n ", min_size=1, max_size=12))
@example("eu'; touch pwned; echo '")
def test_a_shell_hands_the_patch_on_as_it_is(value: str) -> None:
    words = shlex.split(merge_patch("acme", "pd", "d1", {"spec": {value: value}}))
    assert words[:-1] == ["kubectl", "-n", "acme", "patch", "pd", "d1", "--type", "merge", "-p"]
    assert json.loads(words[-1]) == {"spec": {value: value}}
