"""What all fast tests have in common."""

from hypothesis import settings

# No test is one of speed: a machine with something else to do takes many times as long for an example.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
