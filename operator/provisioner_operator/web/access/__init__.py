"""Credentials, identity and permissions of the user who sends a request; defenses against foreign pages."""
