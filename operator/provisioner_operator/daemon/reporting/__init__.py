"""Register the daemon and report its heartbeat."""
