"""Fetch a template's source from git, bounded in size and in where it may go."""
