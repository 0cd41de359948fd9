"""Run Terraform or OpenTofu and interpret its machine-readable output."""
