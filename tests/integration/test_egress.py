"""Runs that may reach a few hosts, and try to reach others."""

import json
import os
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest

from soulbox_core.testing import registered
from tests.integration.service import Service
from tests.integration.web import ADDRESS, NAME, Web, web

CLIENTS = {
    "python urllib": (
        "python",
        """
import sys, urllib.request
for url in sys.argv[1:]:
    print(urllib.request.urlopen(url).read().decode(), end="")
""",
    ),
    "python requests": (
        "python",
        """
import requests, sys
for url in sys.argv[1:]:
    print(requests.get(url).text, end="")
""",
    ),
    "python httpx": (
        "python",
        """
import httpx, sys
for url in sys.argv[1:]:
    print(httpx.get(url).text, end="")
""",
    ),
    "node fetch": (
        "javascript",
        """
for (const url of process.argv.slice(2)) {
  const response = await fetch(url);
  process.stdout.write(await response.text());
}
export {};
""",
    ),
    "node http": (
        "javascript",
        """
const clients = { "http:": require("node:http"), "https:": require("node:https") };
function get(urls) {
  if (!urls.length) return;
  clients[new URL(urls[0]).protocol].get(urls[0], (response) => {
    response.pipe(process.stdout, { end: false });
    response.on("end", () => get(urls.slice(1)));
  });
}
get(process.argv.slice(2));
""",
    ),
    "typescript fetch": (
        "typescript",
        """
for (const url of process.argv.slice(2) as string[]) {
  const response: Response = await fetch(url);
  process.stdout.write(await response.text());
}
export {};
""",
    ),
    "go net/http": (
        "go",
        """
package main

import ("io"; "net/http"; "os")

func main() {
	for _, url := range os.Args[1:] {
		response, err := http.Get(url)
		if err != nil { panic(err) }
		io.Copy(os.Stdout, response.Body)
	}
}
""",
    ),
    "java HttpClient": (
        "java",
        """
import java.net.URI;
import java.net.http.*;

public class Main {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (String url : args) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
            System.out.print(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
        }
    }
}
""",
    ),
    "java URL": (
        "java",
        """
import java.net.URI;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String url : args) {
            try (var stream = URI.create(url).toURL().openStream()) {
                stream.transferTo(System.out);
            }
        }
    }
}
""",
    ),
}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("web")) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def service(hosts: Web) -> Iterator[Service]:
    granted = [*hosts.hosts, "localhost", "metadata.test", f"{NAME}"]
    service = Service(
        "test-egress",
        f"policies.default.network={json.dumps(granted)}",
        f'egress.private_networks=["{ADDRESS}/32"]',
        "egress.connections=8",
        "egress.bytes=33554432",
        "pool.parked=1",
        env={"CURL_CA_BUNDLE": str(hosts.authority)},
    )
    yield service
    assert service.stop() == 0, service.said()


def reach(service: Service, hosts: Web, code: str, *args: str, **options: Any) -> dict[str, Any]:
    return service.run(code, args=args, network={"allow": hosts.hosts}, **options)


# What it is for


INSTALLED = {
    language.name
    for point in entry_points(group="soulbox")
    for language in registered(point.load())
}


@pytest.mark.parametrize(
    "client", [name for name, (language, _) in CLIENTS.items() if language in INSTALLED]
)
def test_the_usual_client_of_each_language_finds_its_way(
    service: Service, hosts: Web, client: str
) -> None:
    language, code = CLIENTS[client]
    answer = reach(
        service, hosts, code, f"{hosts.plain}/a?b=c", f"{hosts.secure}/d", language=language
    )
    plain, secure = hosts.hosts
    assert answer["stdout"] == f"GET /a?b=c for {plain}\nGET /d for {secure}\n", answer["stderr"]
    assert answer["stderr"] == ""
    visits = {(one["host"], one["port"]): one for one in answer["network"]}
    assert set(visits) == {(NAME, hosts.http), (NAME, hosts.https)}
    for visit in visits.values():
        assert visit["allowed"]
        assert visit["connections"] == 1
        assert visit["sent_bytes"] > 50
        assert visit["received_bytes"] > 50


def test_what_is_posted_arrives_whole(service: Service, hosts: Web) -> None:
    code = """
import sys, urllib.request
sent = bytes(range(256)) * 4096
for url in sys.argv[1:]:
    print(urllib.request.urlopen(url, sent).read() == sent)
"""
    answer = reach(service, hosts, code, hosts.plain, hosts.secure)
    assert answer["stdout"] == "True\nTrue\n", answer["stderr"]
    assert all(one["sent_bytes"] > 1 << 20 for one in answer["network"])


def test_a_stream_tells_of_the_network_at_its_end(service: Service, hosts: Web) -> None:
    _, code = CLIENTS["python urllib"]
    body = {"code": code, "args": [hosts.plain], "network": {"allow": hosts.hosts}}
    response = service.client.post(
        "/v1/run/python", json=body, headers={"accept": "application/x-ndjson"}
    )
    last = json.loads(response.text.splitlines()[-1])
    assert f'"host":"{NAME}"' in json.dumps(last, separators=(",", ":")), last


def test_a_run_that_asks_for_nothing_has_no_way_out(service: Service, hosts: Web) -> None:
    code = """
import os, socket
print([name for name in os.environ if "proxy" in name.lower() or "CERT" in name])
print(os.listdir("/soulbox"))
try:
    socket.create_connection(("127.0.0.1", 3128), 5)
except OSError as error:
    print(error.strerror)
"""
    answer = service.run(code)
    assert answer["stdout"] == "[]\n['exit']\nConnection refused\n"
    assert answer["network"] is None


def test_a_run_with_a_way_out_has_no_interface_but_its_own_loopback(
    service: Service, hosts: Web
) -> None:
    code = """
import errno, socket, sys
print([line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
print(open("/proc/net/route").read().splitlines()[1:])
for address in sys.argv[1:]:
    try:
        socket.create_connection((address, int(PORT)), 5)
        print("connected")
    except OSError as error:
        print(errno.errorcode.get(error.errno, error.errno))
try:
    socket.getaddrinfo("example.org", 80)
except OSError as error:
    print("no names")
""".replace("PORT", str(hosts.http))
    answer = reach(service, hosts, code, "192.0.2.1", "127.0.0.1")
    assert answer["stdout"] == "['lo']\n[]\nENETUNREACH\nECONNREFUSED\nno names\n", answer
    assert answer["network"] == []


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("example.org", 403, "forbidden"),
        (f"{NAME}:22", 403, "forbidden"),
        (f"*.{NAME}", 403, "forbidden"),
        ("127.0.0.1", 400, "invalid_request"),
        ("2130706433", 400, "invalid_request"),
        ("[::1]:80", 400, "invalid_request"),
        ("localhost.", 400, "invalid_request"),
        (f"user@{NAME}", 400, "invalid_request"),
    ],
)
def test_what_the_policy_does_not_grant_is_refused_before_anything_runs(
    service: Service, asked: str, status: int, code: str
) -> None:
    response = service.post("print(1)", network={"allow": [asked]})
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


# Attacks from inside of the cell

RAW = """
import socket, sys

def say(text, keep=False):
    sock = socket.create_connection(("127.0.0.1", 3128), 10)
    sock.sendall(text.encode("latin-1"))
    if not keep:
        sock.settimeout(20)
        said = b""
        try:
            while data := sock.recv(4096):
                said += data
        except OSError:
            pass
        return said.split(b"\\r\\n")[0].decode()
    return sock
"""


def raw(service: Service, hosts: Web, *requests: str, allow: list[str] | None = None) -> list[str]:
    """The first line of what the proxy answers to each."""
    code = RAW + f"for text in {requests!r}: print(say(text))"
    answer = service.run(code, network={"allow": allow or hosts.hosts})
    assert answer["status"] == "ok", answer
    return str(answer["stdout"]).splitlines()


def get(url: str, host: str, *headers: str, version: str = "1.1") -> str:
    lines = [f"GET {url} HTTP/{version}", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines)


@pytest.mark.parametrize(
    "place",
    ["localhost:80", "localhost:443", "metadata.test:80"],
)
def test_a_granted_name_that_leads_to_this_machine_or_nowhere_is_not_connected_to(
    service: Service, hosts: Web, place: str
) -> None:
    """localhost is the name that every host rebinds."""
    name = place.partition(":")[0]
    said = raw(
        service,
        hosts,
        f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n",
        allow=[name],
    )
    assert said[0].split()[1] in ("403", "502"), said


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1:{port}",
        "[::1]:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "0177.0.0.1:{port}",
        "127.1:{port}",
        "0.0.0.0:{port}",
        "169.254.169.254:80",
        "{name}:22",
        "{name}.:{port}",
        "user@{name}:{port}",
        "{name}:0{port}",
        "{name}:{service}",
    ],
)
def test_addresses_other_ports_and_the_service_itself_are_refused(
    service: Service, hosts: Web, place: str
) -> None:
    place = place.format(port=hosts.http, name=NAME, service=service.port)
    before = len(hosts.seen)
    connect = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n"
    for line in raw(service, hosts, connect, get(f"http://{place}/", place)):
        assert line.split()[1] in ("400", "403"), line
    assert len(hosts.seen) == before


def test_a_redirect_to_a_place_that_is_not_granted_is_refused(service: Service, hosts: Web) -> None:
    code = """
import sys, urllib.error, urllib.request
for target in sys.argv[2:]:
    opener = urllib.request.build_opener()
    try:
        opener.open(sys.argv[1] + "/to?url=" + target).read()
        print("reached")
    except urllib.error.HTTPError as error:
        print(error.code, error.reason)
"""
    targets = [f"http://localtest.test:{hosts.http}/", f"http://2130706433:{hosts.http}/"]
    answer = reach(service, hosts, code, hosts.plain, *targets)
    assert answer["stdout"] == "403 Not a host that the request allows\n" * 2, answer
    refused = [one["host"] for one in answer["network"] if not one["allowed"]]
    assert refused == ["localtest.test", "2130706433"]


def test_ambiguous_requests_are_refused(service: Service, hosts: Web) -> None:
    host, before = hosts.hosts[0], len(hosts.seen)
    url = f"{hosts.plain}/x"
    smuggled = [
        get(url, "other.test"),
        get(url, host, "Host: other.test"),
        get(url, host, "Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n",
        get(url, host, "Content-Length: 3", "Content-Length: 4") + "abc",
        get(url, host, "X: a", " folded: b"),
        get(url, host, "X: a\nY: b"),
        get("/x", host),
        get(f"https://{host}/x", host),
        get(f"http://user:password@{host}/x", host),
        get(url, host, "Transfer-Encoding: chunked", version="1.0"),
        get(url, host, "X: " + "x" * 20000),
    ]
    said = raw(service, hosts, *smuggled)
    assert {line.split()[1] for line in said[:-1]} == {"400"}, said
    assert said[-1].split()[1:2] in (["431"], []), said
    assert len(hosts.seen) == before


def test_a_second_request_on_a_connection_is_never_read(service: Service, hosts: Web) -> None:
    host, before = hosts.hosts[0], len(hosts.seen)
    first, second = get(f"{hosts.plain}/first", host), get("http://other.test/second", "other.test")
    third = get(f"{hosts.plain}/third", host)
    assert raw(service, hosts, first + second + third) == ["HTTP/1.1 200 OK"]
    assert hosts.seen[before:] == ["GET /first HTTP/1.1"]


def test_too_many_connections_are_turned_away(service: Service, hosts: Web) -> None:
    code = (
        RAW
        + f"""
held = [say("GET ", keep=True) for _ in range(8)]
print(say({get(hosts.plain, hosts.hosts[0])!r}))
"""
    )
    assert reach(service, hosts, code)["stdout"] == "HTTP/1.1 503 Service Unavailable\n"


def test_a_run_may_move_so_many_bytes_and_no_more(service: Service, hosts: Web) -> None:
    code = """
import sys, urllib.request
got = 0
try:
    for _ in range(8):
        got += len(urllib.request.urlopen(sys.argv[1] + "/bytes?8388608").read())
except Exception as error:
    print(type(error).__name__)
print(got)
"""
    answer = reach(service, hosts, code, hosts.secure)
    failure, got = str(answer["stdout"]).split()
    assert failure
    assert int(got) <= 33554432
    (visit,) = answer["network"]
    assert 16 << 20 < visit["received_bytes"] <= (32 << 20) + 65536
    assert service.run("print(1)")["stdout"] == "1\n"


def test_connections_end_with_the_run(service: Service, hosts: Web) -> None:
    code = (
        RAW
        + f"""
held = say("CONNECT {hosts.hosts[0]} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", keep=True)
print(held.recv(100).split(b"\\r\\n")[0].decode())
import os
if os.fork() == 0:
    import time
    time.sleep(60)
"""
    )
    answer = reach(service, hosts, code)
    assert answer["stdout"] == "HTTP/1.1 200 Connected\n", answer
    assert answer["usage"]["wall_seconds"] < 30


def _target(descriptor: Path) -> str:
    """What a process's descriptor is; nothing if it was closed since it was listed."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def test_runs_with_a_way_out_leave_no_socket_behind(service: Service, hosts: Web) -> None:
    _, code = CLIENTS["python urllib"]

    def sockets() -> int:
        """Those of cgroup leaves are kept for the next cells, and are as many as ran at once."""
        directory = Path(f"/proc/{service.process.pid}/fd")
        return sum(_target(each).startswith("socket:") for each in directory.iterdir())

    def some_runs() -> None:
        for _ in range(5):
            reach(service, hosts, code, hosts.plain, hosts.secure)
        raw(service, hosts, "nonsense\r\n\r\n")
        with pytest.raises(httpx.TimeoutException):
            service.client.post(
                "/v1/run/python",
                json={
                    "code": RAW + f"say('CONNECT {hosts.hosts[0]} HTTP/1.1\\r\\n\\r\\n')",
                    "network": {"allow": hosts.hosts},
                },
                timeout=0.5,
            )

    some_runs()
    time.sleep(0.2)  # until the last cell is gone, and its like is parked
    before = sockets()
    some_runs()
    service.await_true(lambda: sockets() <= before, f"not more than {before} sockets")
