"""Run Terraform or OpenTofu and read what it says of itself."""
