import json

import pytest

from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.terraform.declarations import Declarations, in_order

TEMPLATE = """
terraform {
  required_version = ">= 1.0"
}
locals { region = "us" }
variable "region" {
  type        = string
  default     = "us"
  description = "Where it \\"runs\\""
}
variable "token" {
  sensitive = true
}
variable bare {}
variable "sizes" {
  type = map(object({
    cpu  = number # cores
    name = optional(string, "small")
  }))
  default     = {}
  nullable    = false
  description = <<-EOT
    Sizes,
      by name.
  EOT
  validation {
    condition     = length(var.sizes) < 5 && alltrue([for name, size in var.sizes : size.cpu > 0])
    error_message = "At most ${4} sizes."
  }
}
data "coder_workspace" "me" {}
module "network" {
  source = "../network"
}
resource "docker_container" "workspace" {
  count = data.coder_workspace.me.start_count
  name  = "ws-${lower(var.region)}"
  dynamic "ports" {
    for_each = var.sizes
    content { internal = ports.value }
  }
}
resource "docker_volume" "home" {}
"""


def read(**files: str) -> Declarations:
    found = Declarations()
    texts = {name.replace("__", "."): text for name, text in files.items()}
    for name in in_order(iter(texts)):
        found.read(name, texts[name])
    return found


def test_variables_are_read_as_they_are_declared() -> None:
    assert list(read(main__tf=TEMPLATE).variables.values()) == [
        DeclaredVariable("region", "string", description='Where it "runs"'),
        DeclaredVariable("token", required=True, sensitive=True),
        DeclaredVariable("bare", required=True),
        DeclaredVariable(
            "sizes",
            'map(object({cpu = number, name = optional(string, "small")}))',
            description="Sizes,\n  by name.",
        ),
    ]


def test_managed_resources_are_read_and_data_sources_are_not() -> None:
    assert list(read(main__tf=TEMPLATE).resources.values()) == [
        ResourceChange("docker_container.workspace", "docker_container", "declare"),
        ResourceChange("docker_volume.home", "docker_volume", "declare"),
    ]


@pytest.mark.parametrize("many", [False, True])
def test_the_json_form_is_read_too(*, many: bool) -> None:
    variable = {"region": {"type": "string", "default": None, "description": "Where"}, "token": {"sensitive": True}}
    resource: dict[str, object] = {"docker_volume": {"home": {}, "cache": [{}]}}
    document = (
        {"variable": [variable], "resource": [resource]} if many else {"variable": variable, "resource": resource}
    )
    found = read(main__tf__json=json.dumps(document))
    assert list(found.variables.values()) == [
        DeclaredVariable("region", "string", description="Where"),
        DeclaredVariable("token", required=True, sensitive=True),
    ]
    assert list(found.resources) == ["docker_volume.home", "docker_volume.cache"]


def test_an_override_changes_what_the_others_declare() -> None:
    found = read(
        a_override__tf='variable "region" { default = "eu" }',
        main__tf='variable "region" {\n  type = string\n  description = "Where"\n}',
    )
    assert found.variables == {"region": DeclaredVariable("region", "string", description="Where")}


def test_the_files_of_a_module_are_taken_and_overrides_come_last() -> None:
    names = [
        "override.tf",
        "b.tf",
        "x_override.tf.json",
        "a.tf.json",
        "readme.md",
        ".hidden.tf",
        "#a.tf",
        "a.tfvars",
        "a.auto.tfvars",
        "terraform.tfvars.json",
        "overrides.tf",
    ]
    declarations = ["#a.tf", "a.tf.json", "b.tf", "overrides.tf", "override.tf", "x_override.tf.json"]
    assert in_order(iter(names)) == [*declarations, "a.auto.tfvars", "terraform.tfvars.json"]


def test_what_a_file_of_values_sets_is_not_required_from_elsewhere() -> None:
    found = read(
        main__tf='variable "a" {}\nvariable "b" {}\nvariable "c" {}\nvariable "d" {}',
        x__auto__tfvars='a = "1"\nunknown = 2',
        terraform__tfvars='b = ["x"]',
        y__auto__tfvars__json='{"c": null}',
    )
    required = {name: variable.required for name, variable in found.variables.items()}
    assert required == {"a": False, "b": False, "c": False, "d": True}


@pytest.mark.parametrize(
    ("argument", "sensitive"),
    [
        ("false", False),
        ("null", False),
        ('"false"', False),
        ("(true) # x", True),
        ('"true"', True),
        ("1 == 1", True),
    ],
)
def test_a_flag_that_may_be_set_counts_as_set(argument: str, *, sensitive: bool) -> None:
    found = read(main__tf=f'variable "a" {{\n  sensitive = {argument}\n  ephemeral = {argument}\n}}')
    assert found.variables["a"].sensitive is sensitive
    assert found.ephemeral == ({"a"} if sensitive else set())


@pytest.mark.parametrize(
    ("argument", "description"), [("null", ""), ('("x")', "x"), ('"a${"b"}"', '"a${"b"}"'), ("<<E\nx\nE  \n", "x")]
)
def test_a_description_is_shown_as_terraform_reads_it_or_as_it_is_written(argument: str, description: str) -> None:
    assert read(main__tf=f'variable "a" {{\ndescription = {argument}\n}}').variables["a"].description == description


def test_what_the_json_form_says_twice_or_in_a_list_is_read() -> None:
    twice = '{"variable": {"a": {"description": null}}, "variable": [{"b": {"type": " list( string ) "}}], "//": 1}'
    found = read(main__tf__json=twice, x__tf__json='[{"variable": {"c": {}}}, {"resource": {"t": {"r": {}}}}]')
    assert list(found.variables.values()) == [
        DeclaredVariable("a", required=True),
        DeclaredVariable("b", "list(string)", required=True),
        DeclaredVariable("c", required=True),
    ]
    assert list(found.resources) == ["t.r"]


@pytest.mark.parametrize("text", ["variable {{{", "\0", "{" * 5000, 'variable "a" {'])
def test_what_is_not_understood_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Declarations().read("main.tf", text)


def test_names_that_a_status_does_not_take_are_left_out() -> None:
    assert not read(main__tf='variable "größe" {}').variables
