"""Settings of all tests."""

from hypothesis import settings

# No test measures speed, and a busy machine takes much longer for an example.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
