"""Collect a run's output values as far as its job's status has room for them.

Pure; used by the provisioners. What the status would refuse is left out alone, so that it costs no other detail of the run.
Values stay whole here: they are cut after secrets are masked, since half a secret is not recognized.
"""

import json
import re
from collections.abc import Mapping, Sequence

from provisioner_operator.api.v1alpha1.limits import LONGEST_OUTPUT, LONGEST_VARIABLE_NAME, MOST_OUTPUTS, VARIABLE_NAME
from provisioner_operator.core.jobs.outcome import Output

LONGEST_SHOWN_NAME = 200
"""Characters of a refused name in the log."""
_NAME = re.compile(VARIABLE_NAME)


class Outputs:
    """The output values so far, by name."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    @property
    def recorded(self) -> tuple[Output, ...]:
        """The outputs that the job's status gets."""
        return tuple(Output(name, value) for name, value in self._values.items())

    def note(self, values: Mapping[str, object]) -> Sequence[str]:
        """Take in these values and return a line for the log about each that the status cannot show whole."""
        notices: list[str] = []
        for name, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if not _NAME.fullmatch(name) or len(name) > LONGEST_VARIABLE_NAME:
                shown = name if len(name) <= LONGEST_SHOWN_NAME else name[:LONGEST_SHOWN_NAME] + "…"
                notices.append(
                    f"Output {shown} is left out of the job's status, where a name has at most {LONGEST_VARIABLE_NAME} characters: A to Z, a to "
                    "z, digits, '-' and '_', with a letter or '_' first."
                )
            elif name not in self._values and len(self._values) >= MOST_OUTPUTS:
                notices.append(f"Output {name} is left out of the job's status, which has room for {MOST_OUTPUTS}.")
            else:
                self._values[name] = text
                if len(text) > LONGEST_OUTPUT:
                    notices.append(f"Output {name} is cut in the job's status to {LONGEST_OUTPUT} characters.")
        return notices
