"""Follow the jobs assigned to this daemon and write what becomes of them."""
