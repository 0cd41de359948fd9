"""Model the life of one job: its phases, order, timeouts and outcome, and the status writes that move it on."""
