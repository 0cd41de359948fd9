"""Commands on pools of daemons."""
