"""Commands on provisioner daemons."""
