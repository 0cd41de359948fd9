"""Index the supplies of a ProvisionerSupply by what a job may need: the supplies that lack it, as letters. Pure.

An admission policy can loop over supplies only slowly, but compares letters by one regular expression: whoever is in none of the
strings of a job's needs can run it. `supplies` writes the index; the policy in `manifests/components/match-warnings` reads it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.matching import OWNER, SCOPE, SCOPE_USER, UNTAGGED, Supply

ALPHABET = ascii_letters + digits + "+/"
"""A letter for each supply: MOST_SUPPLIES, none of which means anything in a class of a regular expression."""
UNTAGGED_NEED = "untagged"
"""The need of a job without tags of its own: that the supply has none either, and no user. Tags contain `=`."""


@dataclass(frozen=True, slots=True)
class SupplyIndex:
    """Letters of supplies, and of those that lack what others have."""

    letters: str
    """One for each supply, in their order."""
    lacking: dict[str, str]
    """The letters of those that lack a need, by need. All lack what is not in it."""

    def json(self) -> JsonObject:
        """Render it as fields of the object's spec."""
        return {"letters": self.letters, "lacking": dict(self.lacking)}

    @property
    def size(self) -> int:
        """Its bytes, about."""
        return sum(len(need) + len(letters) for need, letters in self.lacking.items())


def index_supplies(supplies: Sequence[Supply]) -> SupplyIndex:
    """Return the index of these supplies, MOST_SUPPLIES at the most."""
    letters = ALPHABET[: len(supplies)]
    having: dict[str, set[str]] = {}
    for letter, supply in zip(letters, supplies, strict=True):
        for need in _needs_met(supply):
            having.setdefault(need, set()).add(letter)
    lacking = {need: "".join(each for each in letters if each not in having[need]) for need in sorted(having)}
    return SupplyIndex(letters, lacking)


def _needs_met(supply: Supply) -> Iterator[str]:
    """Yield the needs in the words of the policy."""
    named = dict(supply.tags)
    scope, owner = named.pop(SCOPE), named.pop(OWNER)
    yield from supply.provisioners
    yield f"{SCOPE}={scope} and {OWNER}={owner}" if scope == SCOPE_USER else f"{SCOPE}={scope}"
    yield from (f"{key}={value}" for key, value in named.items())
    if supply.tags == UNTAGGED:
        yield UNTAGGED_NEED
