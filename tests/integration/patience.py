"""How long tests wait for what should happen at once.

No test judges how long anything takes, but one that waits has to give up some day. On a slow
machine, such as an emulated one, pytest is given more time for each test (`-o timeout=900`), and
all waits get longer alike.
"""

import os

import pytest

_VARIABLE = "PYTEST_PATIENCE"
_USUAL_SECONDS = 60.0
"""`timeout` in pyproject.toml."""


def learn(config: pytest.Config) -> None:
    """Keep what pytest was told, for tests and their helpers alike."""
    os.environ[_VARIABLE] = str(float(config.getini("timeout")) / _USUAL_SECONDS)


def patient(seconds: float) -> float:
    """A time to wait that is enough on a usual machine, for this one."""
    return seconds * float(os.environ.get(_VARIABLE, "1"))
