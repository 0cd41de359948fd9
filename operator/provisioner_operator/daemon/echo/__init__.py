"""Run echo jobs, which need no Terraform: they do what their variables ask for."""
