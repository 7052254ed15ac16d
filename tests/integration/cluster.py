"""Three nodes on one database and one Redis, behind a load balancer: all of them real."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.balancer import Balancer, Ports, balancer
from tests.integration.patience import patient
from tests.integration.service import PYTHON_ALONE, Service, free_port, instance_directory
from tests.quotas.redis_server import RedisServer, redis_server
from tests.store.server import SurrealServer, surreal_server

NAMES = ("a", "b", "c")
FRESH_SECONDS = 0.5
"""How long a key may be good on a node that was revoked on another."""
LAME_DUCK_SECONDS = 3.0
"""Twice of what the balancer takes to notice."""
BURST = 40
"""Requests that a caller with the policy `counted` may make."""
GATED = """
import os, time
while not os.path.exists("/volumes/gate/open"):
    time.sleep(0.05)
print("through")
"""
"""Ends when `Cluster.open_gate` was called."""
_SECRET = "not-a-secret-but-long-enough-for-one"
_PAGE = 100
_PATIENCE_SECONDS = 60.0


class Cluster:
    """Nodes `a`, `b` and `c`, and who stands before them."""

    def __init__(self, directory: Path, database: SurrealServer, redis: RedisServer) -> None:
        self.redis = redis
        self._directory = directory
        self._flags = _flags(directory, database, redis)
        self.nodes: dict[str, Service] = {}
        self.ports = {name: Ports(free_port(), free_port()) for name in NAMES}
        self.admin = ""
        """The text of the first key, whichever node it is shown to."""

    def start_all(self) -> None:
        """Start all nodes at one time, on an empty database."""
        first_keys = [instance_directory(_instance(name)) / "first-key" for name in NAMES]
        for file in first_keys:
            file.unlink(missing_ok=True)  # of an earlier life, on another database
        with ThreadPoolExecutor(len(NAMES)) as threads:
            list(threads.map(self.start, NAMES))
        (made,) = [file for file in first_keys if file.exists()]
        self.admin = made.read_text().strip()
        for node in self.nodes.values():
            node.show(self.admin)

    def start(self, name: str) -> Service:
        """Start a node, or start it again where it was."""
        ports = self.ports[name]
        node = Service(
            _instance(name),
            *self._flags,
            f"grpc.port={ports.grpc}",
            auth=True,
            key=self.admin or "not known yet",
            port=ports.http,
        )
        self.nodes[name] = node
        return node

    def open_gate(self) -> None:
        """Let all runs of `GATED` end."""
        (self._directory / "gate" / "open").touch()

    def close(self) -> None:
        for node in self.nodes.values():
            node.stop(signal.SIGKILL)

    def key(self, policy: str = "default") -> tuple[str, str]:
        """Make an API key: its id and its text."""
        made = self.nodes["a"].client.post("/v1/keys", json={"policy": policy}).json()
        return made["id"], made["key"]

    def knows(self, end: str) -> bool:
        """Whether Redis has something under a name that ends so."""
        names = self.redis.keys()
        return any(name.endswith(end) for name in names)

    def status(self, name: str, credential: str) -> int:
        """What a node says to who shows that."""
        url = f"{self.nodes[name].url}/v1/languages"
        return httpx.get(url, headers=bearer(credential), timeout=patient(60)).status_code

    def running(self, name: str) -> float:
        """How many runs a node has under way."""
        return self.nodes[name].metric("soulbox_executions_active")


@dataclass(frozen=True)
class Front:
    """A cluster as its clients see it."""

    cluster: Cluster
    balancer: Balancer

    def client(
        self, credential: str, *, address: str = "127.0.0.1", http2: bool = False
    ) -> httpx.Client:
        """A client of the balancer's.

        :param address: where it calls from
        """
        return httpx.Client(
            base_url=f"https://localhost:{self.balancer.ports.http}",
            headers=bearer(credential),
            timeout=patient(60),
            transport=httpx.HTTPTransport(
                verify=self.balancer.trust, local_address=address, http2=http2
            ),
        )

    def channel(self) -> grpc.Channel:
        """A client's way to the balancer over gRPC."""
        trust = grpc.ssl_channel_credentials(self.balancer.certificate.read_bytes())
        return grpc.secure_channel(f"localhost:{self.balancer.ports.grpc}", trust)


@dataclass
class Told:
    """What a caller heard of its runs."""

    credential: str
    answered: list[str] = field(default_factory=list)
    """The ids of those that ended."""
    failed: list[str] = field(default_factory=list)
    """How it was told of those that were cut off."""
    retried: int = 0
    odd: list[str] = field(default_factory=list)
    """Answers that nobody should get."""


class Load:
    """Callers that run one program after the other, in the time of the context.

    :param keyed: these send an Idempotency-Key, and the same request again until it is answered
    :param plain: these send each request once
    """

    def __init__(self, front: Front, keyed: list[str], plain: list[str], code: str) -> None:
        self._front = front
        self._code = code
        self._ending = threading.Event()
        self._deadline = 0.0
        self.told = [Told(credential) for credential in (*keyed, *plain)]
        self._threads = [
            threading.Thread(target=self._run, args=(told, told.credential in keyed))
            for told in self.told
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._deadline = time.monotonic() + _PATIENCE_SECONDS
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def answers(self) -> int:
        """How many there were so far."""
        return sum(len(told.answered) for told in self.told)

    def await_answers(self, number: int) -> None:
        """Return when so many more came."""
        enough = self.answers() + number
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.answers() < enough:
            assert time.monotonic() < deadline, f"{self.answers()} answers of {enough}"
            time.sleep(0.02)

    def _run(self, told: Told, keyed: bool) -> None:
        with self._front.client(told.credential) as client:
            while not self._ending.is_set():
                headers = {"idempotency-key": str(uuid4())} if keyed else {}
                while not self._once(client, headers, told) and keyed and not self._given_up():
                    told.retried += 1

    def _given_up(self) -> bool:
        """Whether it is over, and nobody will ever answer."""
        return self._ending.is_set() and time.monotonic() > self._deadline

    def _once(self, client: httpx.Client, headers: dict[str, str], told: Told) -> bool:
        """Send it; whether it was answered."""
        try:
            answer = client.post("/v1/run/python", content=self._code.encode(), headers=headers)
        except httpx.TransportError as error:
            told.failed.append(type(error).__name__)
            return False
        if answer.status_code == 200:
            told.answered.append(answer.json()["id"])
        elif answer.status_code in (502, 503):
            told.failed.append(str(answer.status_code))
        else:
            told.odd.append(answer.text)
        return answer.status_code == 200


def records(client: httpx.Client) -> Counter[str]:
    """The ids of all runs that the caller has a record of, and how often each is there."""
    return Counter(each["id"] for each in executions(client))


def executions(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """All records of a caller."""
    query = {"limit": str(_PAGE)}
    while True:
        page = client.get("/v1/executions", params=query).json()
        yield from page["executions"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


@contextmanager
def cluster(directory: Path) -> Iterator[Front]:
    """Start it all.

    :param directory: an empty one
    """
    with ExitStack() as closing:
        database = closing.enter_context(surreal_server(directory / "database"))
        redis = closing.enter_context(redis_server(directory))
        nodes = Cluster(directory, database, redis)
        closing.callback(nodes.close)
        nodes.start_all()
        yield Front(nodes, closing.enter_context(balancer(directory, nodes.ports)))


def _gate(directory: Path) -> Path:
    """A volume; see `GATED`."""
    gate = directory / "gate"
    gate.mkdir(exist_ok=True)
    gate.chmod(0o755)
    return gate


def _instance(name: str) -> str:
    return f"test-cluster-{name}"


def _flags(directory: Path, database: SurrealServer, redis: RedisServer) -> tuple[str, ...]:
    """The settings of every node, as docs/cluster.md has them."""
    signing = directory / "signing.pem"
    signing.touch(0o600)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    signing.write_bytes(pem)
    shared = database.settings()
    return (
        *PYTHON_ALONE,
        "pool.parked=2",
        f"database.url={shared.url}",
        f"database.user={shared.user}",
        f"database.password={shared.password}",
        f"database.fresh_seconds={FRESH_SECONDS}",
        # A database on a busy machine is slow, and not gone: it is waited for.
        f"database.grace_seconds={FRESH_SECONDS}",
        "database.seconds=30",
        f"rates.redis={redis.url}",
        "rates.redis_seconds=10",
        f"results.redis={redis.url}",
        "results.redis_seconds=10",
        f"server.idempotency_redis={redis.url}",
        "server.idempotency_redis_seconds=10",
        f"results.secret={_SECRET}",
        "auth.issuer=urn:soulbox:test-cluster",
        f"auth.signing_key={signing}",
        'server.trusted_proxies=["127.0.0.1/32"]',
        f"server.lame_duck_seconds={LAME_DUCK_SECONDS}",
        f'volumes={{"gate"="{_gate(directory)}"}}',
        'policies.default.mounts=["gate"]',
        f"policies.counted.rate={{requests_per_second=0.001,burst={BURST}}}",
    )
