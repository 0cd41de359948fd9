# A template as it is written for Coder: nothing in it knows of this project. In the place of a Pod and its volume stand
# resources that every Terraform has.
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

provider "coder" {}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_external_auth" "git" {
  id       = "github"
  optional = true
}

data "coder_workspace_tags" "tags" {
  tags = {
    region = data.coder_parameter.region.value
  }
}

data "coder_parameter" "region" {
  name         = "region"
  display_name = "Region"
  description  = "Where the workspace is. It cannot move."
  icon         = "/emojis/1f30e.png"
  type         = "string"
  default      = "us"
  mutable      = false
  option {
    name  = "Chicago"
    value = "us"
    icon  = "/emojis/1f1fa-1f1f8.png"
  }
  option {
    name  = "Helsinki"
    value = "eu"
  }
}

data "coder_parameter" "project_id" {
  name    = "project-id"
  mutable = true
  default = "A1B2"
  validation {
    regex = "^[A-Z0-9]+$"
    error = "A project's id is made of capitals and digits."
  }
}

data "coder_parameter" "cpu" {
  name    = "cpu"
  type    = "number"
  default = 2
  mutable = true
  validation {
    min       = 1
    max       = 8
    monotonic = "increasing"
  }
}

data "coder_parameter" "monitoring" {
  name    = "monitoring"
  type    = "bool"
  default = false
  mutable = true
}

data "coder_parameter" "ides" {
  name      = "ides"
  type      = "list(string)"
  form_type = "multi-select"
  default   = jsonencode(["vim"])
  mutable   = true
  option {
    name  = "Vim"
    value = "vim"
  }
  option {
    name  = "code-server"
    value = "code-server"
  }
}

# No variable of a job can have this name; the template's default serves.
data "coder_parameter" "greeting" {
  name    = "A friendly greeting"
  default = "hello"
  mutable = true
}

data "coder_workspace_preset" "small" {
  name = "Small"
  parameters = {
    (data.coder_parameter.cpu.name) = "1"
  }
}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = data.coder_provisioner.me.arch
  startup_script = "echo ${data.coder_parameter.greeting.value}"
  env = {
    GIT_AUTHOR_NAME  = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
    GIT_AUTHOR_EMAIL = data.coder_workspace_owner.me.email
  }
  metadata {
    display_name = "CPU Usage"
    key          = "cpu_usage"
    script       = "coder stat cpu"
    interval     = 10
    timeout      = 1
  }
}

resource "coder_env" "project" {
  agent_id = coder_agent.main.id
  name     = "PROJECT"
  value    = data.coder_parameter.project_id.value
}

resource "coder_script" "dotfiles" {
  agent_id     = coder_agent.main.id
  display_name = "Dotfiles"
  run_on_start = true
  script       = "true"
}

resource "coder_app" "code_server" {
  count        = contains(jsondecode(data.coder_parameter.ides.value), "code-server") ? data.coder_workspace.me.start_count : 0
  agent_id     = coder_agent.main.id
  slug         = "code-server"
  display_name = "code-server"
  url          = "http://localhost:13337"
  icon         = "${data.coder_workspace.me.access_url}/icon/code.svg"
  share        = "owner"
  healthcheck {
    url       = "http://localhost:13337/healthz"
    interval  = 5
    threshold = 6
  }
}

# The volume: it outlives a stop, and must not be made anew because a name changed.
resource "terraform_data" "home" {
  input            = "coder-${data.coder_workspace.me.id}-home"
  triggers_replace = [data.coder_workspace.me.id, data.coder_workspace_owner.me.id, data.coder_workspace.me.template_id]
}

# The Pod: it is there while the workspace runs.
resource "terraform_data" "pod" {
  count = data.coder_workspace.me.start_count
  input = {
    name    = "coder-${lower(data.coder_workspace_owner.me.name)}-${lower(data.coder_workspace.me.name)}"
    command = ["sh", "-c", coder_agent.main.init_script]
    cpu     = tonumber(data.coder_parameter.cpu.value)
  }
}

resource "coder_metadata" "pod" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.pod[0].id
  item {
    key   = "region"
    value = data.coder_parameter.region.value
  }
}

output "parameters" {
  value = {
    region     = data.coder_parameter.region.value
    project_id = data.coder_parameter.project_id.value
    cpu        = data.coder_parameter.cpu.value
    monitoring = data.coder_parameter.monitoring.value
    ides       = data.coder_parameter.ides.value
    greeting   = data.coder_parameter.greeting.value
  }
}

output "workspace" {
  value = data.coder_workspace.me
}

output "owner" {
  value = {
    id        = data.coder_workspace_owner.me.id
    name      = data.coder_workspace_owner.me.name
    full_name = data.coder_workspace_owner.me.full_name
    email     = data.coder_workspace_owner.me.email
    groups    = data.coder_workspace_owner.me.groups
  }
}

output "pod" {
  value = terraform_data.pod[*].output
}

output "home" {
  value = terraform_data.home.output
}
