"""The edges of a real service: TLS, request ids in its log, what stops its start."""

import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.api.test_tls import make, settings
from tests.integration.service import Service

ONE = ("languages.python.preloads=[]", "pool.parked=1")


class TlsService(Service):
    """One that is talked to over TLS."""

    def ready(self) -> bool:
        try:
            return httpx.get(f"https://localhost:{self.port}/readyz", verify=self.trusts).is_success
        except httpx.HTTPError:
            return False

    @property
    def trusts(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    certificate = ""


@pytest.fixture(scope="module")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsService]:
    files = make(tmp_path_factory.mktemp("tls"))
    TlsService.certificate = str(files[0])
    flags = (f"server.{name}={value}" for name, value in settings(files).items())
    service = TlsService("test-tls", *ONE, *flags)
    yield service
    assert service.stop() == 0, service.said()


def test_a_program_runs_over_tls(over_tls: TlsService) -> None:
    answer = httpx.post(
        f"https://localhost:{over_tls.port}/v1/run/python",
        content=b"print('hi')",
        headers={"x-request-id": "from-me"},
        verify=over_tls.trusts,
    )
    assert answer.json()["stdout"] == "hi\n"
    assert f"ready at https://127.0.0.1:{over_tls.port}" in over_tls.said()


def test_the_line_of_a_run_has_the_requests_id(over_tls: TlsService) -> None:
    with httpx.Client(verify=over_tls.trusts) as client:
        url = f"https://localhost:{over_tls.port}/v1/run/python"
        client.post(url, content=b"print('hi')", headers={"x-request-id": "find-me"})
    (line,) = (line for line in over_tls.said().splitlines() if "request_id=find-me" in line)
    assert " run " in line
    assert "language=python" in line


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("server.tls_certificate=/nowhere.crt", "or neither"),
        ("server.trusted_proxies=['proxy']", "write a network"),
        ("server.cors_origins=['*']", "is no origin"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_says_what_to_do(flag: str, said: str) -> None:
    with pytest.raises(AssertionError) as stopped:
        Service("test-edges", *ONE, flag)
    assert said in str(stopped.value)
    assert "Traceback" not in str(stopped.value)


def test_connections_beyond_the_bound_do_not_harm_those_within() -> None:
    service = Service("test-edges", *ONE, "server.connections_per_address=5")
    try:
        held = [httpx.Client(base_url=service.url) for _ in range(4)]
        for client in held:
            assert client.get("/healthz").is_success
        with httpx.Client(base_url=service.url) as late, pytest.raises(httpx.TransportError):
            late.get("/healthz")
        assert service.output("print('hi')") == "hi\n"
        for client in held:
            client.close()
    finally:
        assert service.stop() == 0, service.said()
    assert "refused since the start" in service.said()
