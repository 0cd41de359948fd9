"""Approval of builds before they change anything."""
