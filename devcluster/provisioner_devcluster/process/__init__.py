"""Start processes that end with the process that started them."""
