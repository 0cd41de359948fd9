"""Start processes and end them with whoever started them."""
