"""REST API of this product's own, under `/api/provisioner/v1`: what Coder's API has no route for.

It explains why a job waits, cancels, retries, suspends and moves jobs, predicts where a job would run, and streams changes.
"""
