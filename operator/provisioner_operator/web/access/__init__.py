"""Credentials, identity and permissions of the user who sends a request; defences against foreign pages."""
