"""Track daemons: their Pods, heartbeats, incarnations, and the duties of one daemon."""
