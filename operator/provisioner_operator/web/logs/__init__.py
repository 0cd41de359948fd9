"""Logs of runs, read and followed with the user's own credential: from the archive, or live from the daemon's Pod."""
