terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    stub = {
      source = "example.com/clouds/stub"
    }
  }
}

provider "stub" {}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "region" {
  name         = "region"
  display_name = "Region"
  default      = "us"
  option {
    name  = "Europe"
    value = "eu"
  }
  option {
    name  = "United States"
    value = "us"
  }
}

resource "coder_agent" "main" {
  arch = "amd64"
  os   = "linux"
}

resource "stub_machine" "workspace" {
  count     = data.coder_workspace.me.start_count
  region    = data.coder_parameter.region.value
  user_data = coder_agent.main.init_script
}

resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = stub_machine.workspace[0].id
  item {
    key   = "region"
    value = stub_machine.workspace[0].region
  }
}

# The log gets all that the run's programs inherit.
resource "terraform_data" "environment" {
  count = data.coder_workspace.me.start_count
  provisioner "local-exec" {
    command = "env | sed 's/^/inherits /'"
  }
}

output "machine" {
  value = one([for each in stub_machine.workspace : "${each.region} by ${each.created_by}"])
}
