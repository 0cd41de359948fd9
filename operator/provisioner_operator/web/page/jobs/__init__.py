"""Pages of provisioner jobs: the list, one job, its log, and the forms that change it."""
