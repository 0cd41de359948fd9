"""The provisioner daemon: takes the jobs assigned to it, runs them one process group each, and reports.

`agent` ties the parts together; a run (`run`, `command`, `guard`) knows no API server, and nothing here knows the
controller. Safety does not depend on this process: see `guard`.
"""
