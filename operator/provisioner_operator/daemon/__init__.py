"""The provisioner daemon: takes the jobs assigned to it, runs each in processes of its own, and reports.

`agent` ties the parts together. A run (`execution`) knows no API server, and nothing here knows the controller. Safety does
not depend on this process: see `execution.guard`.
"""
