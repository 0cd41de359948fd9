"""Feed what the API server reports into the mirrors: initial lists, then watches."""
