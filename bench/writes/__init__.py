"""Single writes: what each costs the API server, and what of it are rules and policies."""
