"""Inspect a module's declarations in a process of its own: its program, the stage that starts it, and its output."""
