"""Subjects beside this version of the product: another checkout of it, and other controllers, built from their Go modules."""
