"""Distributions of this checkout, built once."""

from pathlib import Path

import pytest

from release import distributions
from tests.release.checkout import ROOT, names

DATE = 1700000000


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with wheels and source distributions, of sources from `DATE`."""
    target = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(DATE))
        distributions.build(ROOT, names(), target, distributions.KINDS)
    return target
