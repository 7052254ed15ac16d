"""Distributions of this checkout, built once."""

from pathlib import Path

import pytest

from release import distributions
from tests.release.checkout import ROOT, names
from tests.release.installation import Installation

DATE = 1700000000


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with wheels and source distributions, of sources from `DATE`."""
    target = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(DATE))
        distributions.build(ROOT, names(), target, distributions.KINDS)
    return target


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The core and all plugins, installed as the documents say."""
    return Installation(tmp_path_factory.mktemp("installed"), built.glob("*.whl"))


@pytest.fixture(scope="session")
def equipped(installed: Installation) -> Installation:
    """The same, with what the conformance kit takes."""
    installed.add_kit()
    return installed
