import pytest

from tests.deploy.exposed import Exposed, exposed


@pytest.fixture(scope="package")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exposed]:
    """Every metric there is."""
    return exposed(tmp_path_factory.mktemp("store"))
