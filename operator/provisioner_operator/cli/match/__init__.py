"""Predict which daemons would run a job."""
