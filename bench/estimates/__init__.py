"""Coverage of the estimates: queues are replayed in virtual time, and what was estimated is compared with what came."""
