"""ProvisionerSupply: what the daemons and pools of a namespace offer, and what its templates need.

The controller keeps one in each namespace if the component `match-warnings` is installed, for its admission policy, which compares
new jobs and workspaces with it. Nothing else reads it.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model, ObjectMeta
from provisioner_operator.api.v1alpha1.enums import Provisioner, SupplyPart
from provisioner_operator.api.v1alpha1.limits import MOST_SUPPLIES, MOST_SUPPLY_NEEDS, MOST_SUPPLY_TEMPLATES
from provisioner_operator.api.v1alpha1.names import SUPPLY_NAME
from provisioner_operator.api.v1alpha1.rules import rule, validated_by
from provisioner_operator.api.v1alpha1.tags import TagValue

SUPPLY_RULES = (
    rule(
        f"self.metadata.name == '{SUPPLY_NAME}'",
        f"a namespace has one ProvisionerSupply, and its name is {SUPPLY_NAME}",
        field="metadata.name",
    ),
)

TagText = Annotated[str, StringConstraints(max_length=320)]
Letters = Annotated[str, StringConstraints(max_length=MOST_SUPPLIES, pattern=r"^[A-Za-z0-9+/]*$")]


class Supply(Model):
    """Daemons that run the same jobs."""

    offered_by: Annotated[str, StringConstraints(max_length=300)]
    """One of them in words: `daemon NAME`, or `pool NAME` for those that a pool has or may start."""
    provisioners: Annotated[list[Provisioner], Field(max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})]
    """Programs that they run."""
    scope: Annotated[str, StringConstraints(max_length=64)]
    """Their scope: organization or user."""
    owner: TagValue
    """The user whose jobs they run, if the scope is user; else empty."""
    tags: Annotated[list[TagText], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"})]
    """Their other tags, as `KEY=VALUE`."""


class TemplateDemand(Model):
    """Needs of a workspace of a template, without the workspace's own tags."""

    provisioner: Provisioner
    """Program that its active version needs."""
    tags: Annotated[dict[str, TagValue], Field(max_length=32)]
    """Tags of the template."""


class SupplySpec(Model):
    """Supplies of daemons, and demands of templates."""

    supplies: Annotated[
        list[Supply], Field(max_length=MOST_SUPPLIES, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ]
    """The different supplies of all daemons that take jobs, and of pools that may start some."""
    letters: Letters = ""
    """A letter for each of the supplies, in their order."""
    lacking: Annotated[dict[str, Letters], Field(max_length=MOST_SUPPLY_NEEDS)] | None = None
    """The letters of the supplies that lack a need: a program, a scope, a tag as `KEY=VALUE`, or `untagged`, to run jobs without tags.

    All lack what is not in it. Without it, nobody is warned."""
    templates: Annotated[dict[str, TemplateDemand], Field(max_length=MOST_SUPPLY_TEMPLATES)]
    """The templates by name."""
    omitted: Annotated[list[SupplyPart], Field(max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"})] = []
    """Parts that are empty here because they are too large: nobody is warned because of them."""


class ProvisionerSupply(Model):
    """Supplies of a namespace's daemons and pools, and needs of its templates.

    The API server compares new jobs, workspaces and templates with it, and warns about those that nobody can run. The controller
    keeps it, and replaces whatever others write.
    """

    model_config = ConfigDict(json_schema_extra=validated_by(*SUPPLY_RULES))

    metadata: ObjectMeta
    """Its name, `default`."""
    spec: SupplySpec
    """Supplies of daemons, and demands of templates. Written by the controller."""
