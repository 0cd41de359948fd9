"""Save the states that Terraform could not save: push them, or keep them in Secrets until somebody can."""
