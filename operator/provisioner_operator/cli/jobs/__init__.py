"""Commands on provisioner jobs."""
