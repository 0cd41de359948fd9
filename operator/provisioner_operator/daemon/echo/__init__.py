"""Run echo jobs, which do what their source says, without Terraform."""
