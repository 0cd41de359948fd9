variable "region" {
  type = string
}

variable "size" {
  type = number
}

# "start" or "stop": what costs money exists only while the workspace runs.
variable "provisioner_transition" {
  type = string
}

variable "provisioner_workspace" {
  type = string
}

resource "terraform_data" "disk" {
  input = "disk of ${var.provisioner_workspace} in ${var.region}"
}

resource "terraform_data" "machine" {
  count = var.provisioner_transition == "start" ? 1 : 0
  input = "machine of size ${var.size}, with the ${terraform_data.disk.output}"
}

output "machine" {
  value = one(terraform_data.machine[*].output)
}
