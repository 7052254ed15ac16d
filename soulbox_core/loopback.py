"""The names of this host for itself."""

NAMES = ("localhost", "127.0.0.1", "::1")
"""As they stand in URLs, but for the brackets of the last one."""
