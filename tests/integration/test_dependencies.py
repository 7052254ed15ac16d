"""Packages that requests ask for: installed in a cell of their own, with one way out.

The installer of the language `fetching` is hostile: each requirement is something that it tries.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from pip._internal.models.index import PyPI

from tests.integration.service import Service
from tests.integration.trial import last_line, trial_service

REPORT = "import os; print(open(os.environ['LAYER'] + '/report.json').read())"
REGISTRY = [PyPI.netloc, PyPI.file_storage_domain]
"""Where pip fetches from, unless told otherwise."""


@contextmanager
def server() -> Iterator[int]:
    """Something on loopback that answers with what it was sent; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

        def echo(connection: socket.socket) -> None:
            with connection:
                try:
                    while data := connection.recv(1000):
                        connection.sendall(b"got " + data)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture(scope="module")
def registry() -> Iterator[int]:
    with server() as port:
        yield port


@pytest.fixture(scope="module")
def fetching(registry: int) -> Iterator[Service]:
    """A service that may install, from a registry on loopback alone."""
    hosts = json.dumps([f"127.0.0.1:{registry}", f"localhost:{registry}"])
    with trial_service(
        "test-fetching",
        f"languages.fetching.dependencies.hosts={hosts}",
        'languages.fetching.dependencies.deny=["evil"]',
    ) as service:
        yield service


def run(service: Service, code: str, *dependencies: str, **options: Any) -> dict[str, Any]:
    return service.run(code, language="fetching", dependencies=dependencies, **options)


def unlike() -> str:
    """A requirement that nobody has asked for before, so that the installer is run."""
    return f"unlike={uuid4().hex}"


def report(service: Service, *dependencies: str) -> dict[str, Any]:
    """What came of what the installer tried."""
    answer = run(service, REPORT, *dependencies, unlike())
    assert answer["status"] == "ok", answer
    told: dict[str, Any] = json.loads(answer["stdout"])
    return told


def attempt(service: Service, dependency: str) -> Any:
    return report(service, dependency)[dependency.partition("=")[0]]


def failed(service: Service, *dependencies: str) -> str:
    answer = run(service, "print('ran')", *dependencies, unlike())
    assert answer["status"] == "install_failed", answer
    assert answer["stdout"] == ""
    return last_line(answer)


# What it is for


def test_packages_are_found_by_the_run_and_installed_once(fetching: Service) -> None:
    name = f"p{uuid4().hex}"
    wanted = f"package={name}"
    code = (
        f"import os, sys; sys.path.append(os.environ['LAYER']); import {name}; print({name}.NAME)"
    )
    first, second = (run(fetching, code, wanted) for _ in range(2))
    for answer in (first, second):
        assert answer["stdout"] == f"{name}\n", answer
        assert answer["timings"]["install_seconds"] is not None
    assert second["timings"]["install_seconds"] < first["timings"]["install_seconds"]
    other = run(fetching, "import os; print(os.environ.get('LAYER'))")
    assert (other["stdout"], other["timings"]["install_seconds"]) == ("None\n", None)


def test_a_layer_is_read_only_and_its_key_is_not_to_be_listed(fetching: Service) -> None:
    code = """
import os
layer = os.environ["LAYER"]
print(oct(os.stat(layer).st_mode), oct(os.stat(layer + "/report.json").st_mode))
for attempt in (
    lambda: open(layer + "/report.json", "a"),
    lambda: open(layer + "/new", "w"),
    lambda: os.unlink(layer + "/report.json"),
    lambda: os.rename(layer, layer + "0"),
    lambda: os.chmod(layer, 0o777),
    lambda: os.listdir("/store"),
):
    try:
        attempt()
        print("done")
    except OSError:
        pass
"""
    mark = unlike()
    for _ in range(2):
        answer = run(fetching, code, mark)
        assert answer["stdout"] == "0o40755 0o100555\n", answer


def test_the_run_cell_has_no_network_and_no_proxy(fetching: Service) -> None:
    code = """
import os, socket
print([line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
print([name for name in os.environ if "proxy" in name.lower() or "CERT" in name])
try:
    socket.create_connection(("127.0.0.1", 3128), 5)
    print("connected")
except OSError as error:
    print(error.strerror)
"""
    answer = run(fetching, code, unlike())
    assert answer["stdout"] == "['lo']\n[]\nConnection refused\n"


def test_without_the_operator_s_leave_nothing_is_installed(
    trial: Service, fetching: Service
) -> None:
    for response in (
        trial.post("print(1)", language="fetching", dependencies=["package=a"]),
        trial.post("print(1)", language="booted", dependencies=["package=a"]),
        fetching.post("print(1)", language="fetching", dependencies=["evil"]),
        fetching.post("print(1)", language="fetching", dependencies=["EVIL=1"]),
        fetching.post("print(1)", language="fetching", dependencies=["package=a", "evil"]),
    ):
        assert response.status_code == 422, response.text
        assert response.json()["code"] == "dependencies_refused"
    listed = fetching.client.get("/v1/languages").json()["languages"]
    able = {one["name"] for one in listed if one["dependencies"]}
    assert able == {"fetching"}


@pytest.mark.parametrize(
    "requirement",
    [
        *("--help", "-r/etc/passwd", "/etc", "../a", "http://a/b", "a b", "a\nb", "a\u0000"),
        *("", " ", "a" * 10_000, "$(id)", "package=$(id)", "package={out}"),
        *("p\u0430ckage", "\u212aelvin", "\ud800"),
    ],
)
def test_what_is_no_requirement_is_refused(fetching: Service, requirement: str) -> None:
    body = json.dumps({"code": "1", "dependencies": [requirement]})
    response = fetching.client.post(
        "/v1/run/fetching", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422), response.text
    assert len(response.content) < 2000


def test_more_requirements_than_may_be_are_refused(fetching: Service) -> None:
    many = [f"package=p{number}" for number in range(33)]
    assert fetching.post("1", language="fetching", dependencies=many).status_code == 400


# The way out


def test_the_registry_is_reached_through_the_proxy_alone(fetching: Service, registry: int) -> None:
    through = attempt(fetching, f"tunnelled=127.0.0.1:{registry}")
    assert through == ["HTTP/1.1 200 Connected", "got word\n"]
    assert attempt(fetching, f"proxied=LOCALHOST:{registry}") == "HTTP/1.1 200 Connected"
    refused = "ConnectionRefusedError: [Errno 111] Connection refused"
    assert attempt(fetching, f"direct=127.0.0.1:{registry}") == refused


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1:{other}",  # another service of the host's
        "localhost:{other}",
        "127.0.0.1:{service}",  # the one that runs code
        "localhost:{service}",
        "127.0.0.1",
        "0.0.0.0:{registry}",
        "127.1:{registry}",
        "2130706433:{registry}",
        "169.254.169.254:80",
        "metadata:80",
        "localhost.:{registry}",
        "[::1]:{registry}",
        "[::ffff:127.0.0.1]:{registry}",
        "127.0.0.1:{registry}/",
        "example.test",
    ],
)
def test_the_proxy_is_no_open_relay(fetching: Service, registry: int, place: str) -> None:
    with server() as other:
        place = place.format(other=other, registry=registry, service=fetching.port)
        assert attempt(fetching, f"proxied={place}") in (
            "HTTP/1.1 400 Not a host",
            "HTTP/1.1 403 Not a host that packages come from",
        )


def test_what_was_refused_is_told_when_the_install_fails(fetching: Service) -> None:
    told = failed(fetching, "proxied=elsewhere.test", "stop=1")
    assert told == "not to be reached from here: elsewhere.test:443"


def test_there_is_no_other_way_out(fetching: Service) -> None:
    told = report(fetching, "interfaces", "routes", "listen", "resolve=localhost.test")
    assert told["interfaces"] == ["lo"]
    assert told["routes"] == []
    assert "Address already in use" in told["listen"]
    assert told["resolve"].startswith("gaierror: ")


def test_connections_without_end_are_refused_and_the_next_install_is_served(
    fetching: Service, registry: int
) -> None:
    opened, waiting = attempt(fetching, "flood=200")
    assert waiting <= 32
    assert opened >= waiting
    assert attempt(fetching, f"proxied=127.0.0.1:{registry}") == "HTTP/1.1 200 Connected"


def test_the_install_cell_shows_no_more_than_the_registries_certificates(
    fetching: Service,
) -> None:
    seen = attempt(fetching, "see")
    assert seen["box"] == []
    assert seen["certificates"] > 0
    assert len(seen["processes"]) == 1
    assert seen["descriptors"] == [0, 1, 2]
    assert set(seen["mounts"]) <= {
        *("/", "/box", "/dev", "/dev/shm", "/proc", "/soulbox", "/store", "/tmp"),
        *("/soulbox/trust", "/etc/ssl/certs/ca-certificates.crt"),
        *(f"/dev/{node}" for node in ("full", "null", "random", "urandom", "zero")),
    }
    assert not [name for name in seen["environment"] if name.startswith(("SOULBOX", "XDG", "SSH"))]


# What it may leave


def test_only_regular_files_are_kept(fetching: Service) -> None:
    code = """
import os
for path, _, names in sorted(os.walk(os.environ["LAYER"])):
    for name in sorted(names):
        seen = os.lstat(os.path.join(path, name))
        print(name, oct(seen.st_mode), seen.st_nlink)
"""
    answer = run(fetching, code, "links", unlike())
    names = ("hard", "report.json", "setuid", "c")
    assert answer["stdout"] == "".join(f"{name} 0o100555 1\n" for name in names), answer


def test_a_process_that_is_left_cannot_change_what_is_kept(fetching: Service) -> None:
    code = "import os; print(open(os.environ['LAYER'] + '/changes').read())"
    mark = unlike()
    first, second = (run(fetching, code, "changing", mark) for _ in range(2))
    assert first["status"] == "ok", first
    assert first["stdout"] == second["stdout"]


def test_a_connection_that_is_left_open_and_not_read_holds_nothing_up(fetching: Service) -> None:
    with pouring() as port, holding_service(port) as service:
        answer = service.run("1", language="fetching", dependencies=[f"holding=127.0.0.1:{port}"])
        assert (answer["status"], answer["exit_code"]) == ("install_failed", 3)


@contextmanager
def pouring() -> Iterator[int]:
    """Something on loopback that sends without end; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    while True:
                        connection.sendall(b"x" * 65536)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@contextmanager
def holding_service(port: int) -> Iterator[Service]:
    hosts = json.dumps([f"127.0.0.1:{port}"])
    with trial_service("test-holding", f"languages.fetching.dependencies.hosts={hosts}") as service:
        yield service


ENDS = [
    ("stop=3", "no such package"),
    ("wait", "the install was stopped: wall_time_exceeded"),
    ("eat", "the install was stopped: memory_exceeded"),
    ("large=5000000", "the packages have more than 4194304 bytes, or too many files"),
]


@pytest.mark.parametrize(("requirement", "said"), ENDS)
def test_an_installer_s_end_is_told_in_the_last_line(
    fetching: Service, requirement: str, said: str
) -> None:
    assert failed(fetching, requirement) == said
    assert run(fetching, "print(1)", unlike())["stdout"] == "1\n"


def test_many_small_files_are_kept(fetching: Service) -> None:
    code = "import os; print(len(os.listdir(os.environ['LAYER'])))"
    assert run(fetching, code, "many=5000", unlike())["stdout"] == "5001\n"


# The real registry


def test_a_package_of_pypi_is_installed_once_and_run_without_network() -> None:
    flags = (
        "languages.python.preloads=[]",
        "pool.parked=1",
        f"languages.python.dependencies.hosts={json.dumps(REGISTRY)}",
        'languages.python.dependencies.allow=["termcolor"]',
    )
    service = Service("test-pypi", *flags)
    try:
        code = "import termcolor; print(termcolor.__file__)"
        first, second = (service.run(code, dependencies=["termcolor == 3.*"]) for _ in range(2))
        for answer in (first, second):
            assert answer["stdout"].startswith("/store/"), answer
            assert answer["stdout"] == first["stdout"]
        assert "ModuleNotFoundError" in service.run("import nothing_like_it")["stderr"]
        refused = service.post(code, dependencies=["requests"])
        assert refused.json()["code"] == "dependencies_refused"
        none = service.run(code, dependencies=["termcolor == 0.0.0.dev0"])
        assert none["status"] == "install_failed"
        assert "No matching distribution found for termcolor" in none["stderr"]
    finally:
        assert service.stop() == 0, service.said()


def test_a_registry_that_is_not_granted_is_told_of() -> None:
    flags = (
        "languages.python.preloads=[]",
        "pool.parked=1",
        'languages.python.dependencies.hosts=["registry.test"]',
        "limits.install.wall_seconds=20",
    )
    service = Service("test-ungranted", *flags)
    try:
        answer = service.run("1", dependencies=["termcolor"])
        assert answer["status"] == "install_failed"
        assert last_line(answer) == f"not to be reached from here: {REGISTRY[0]}:443"
    finally:
        assert service.stop() == 0, service.said()
