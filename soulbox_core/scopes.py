"""What a key or token may be good for."""

EXECUTE = "execute"
"""Run programs, and ask what can be run."""
ADMIN = "admin"
"""Make, list and revoke keys; it holds every other scope too."""
SCOPES = (EXECUTE, ADMIN)
