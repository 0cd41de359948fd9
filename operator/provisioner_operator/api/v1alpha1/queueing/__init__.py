"""The kind that orders a namespace's jobs."""
