"""Programs of Terraform and OpenTofu: found, identified, and chosen by version."""
