"""The life of one job: its phases, order, timeouts, outcome, and the status writes that carry it on."""
