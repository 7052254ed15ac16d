"""What holds for all tests."""

from hypothesis import settings

# No test judges how long anything takes: the machine may be busy with something else.
settings.register_profile("soulbox", deadline=None)
settings.load_profile("soulbox")
