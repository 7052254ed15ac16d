"""Which service of ours runs, for commands on the same host. Loads no library of the server's."""

from pathlib import Path

from soulbox_core.model import Value
from soulbox_core.store.lock import is_open

FIRST_KEY = "first-key"
"""File with the first API key, in the instance's directory."""
URL = "url"
"""File with the address of the service that runs, or ran last."""
DATABASE = "database"
"""Directory with keys and families, in the instance's."""


class Running(Value):
    """A service of ours that runs."""

    url: str
    first_key: str | None
    """The text of its first key, if it has one and we may read it."""


def running(directory: Path) -> Running | None:
    """The service that has an instance's database open, and so is the one to ask.

    :param directory: the instance's
    """
    if not is_open(directory / DATABASE):
        return None
    try:
        url = (directory / URL).read_text().strip()
    except OSError:
        return None
    try:
        key = (directory / FIRST_KEY).read_text().strip() or None
    except OSError:
        key = None
    return Running(url=url, first_key=key)
