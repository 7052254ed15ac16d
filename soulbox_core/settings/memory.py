"""What is remembered."""

from typing import Annotated

import msgspec

from soulbox_core.settings.section import Count, Positive, Seconds, Section

_SECRET_CHARACTERS = 32


class Results(Section):
    """The result cache: answers of runs, for requests that ask for it."""

    memory_bytes: Count = 64 << 20
    """What is kept in memory; 0 keeps nothing there."""
    seconds: Seconds = 3600.0
    """How long an answer is kept."""
    entry_bytes: Positive = 1 << 20
    """Largest answer that is kept."""
    shared: bool = False
    """Whether callers may be given what was run for others; by its age and by its speed they
    learn then what others run."""
    redis: str = ""
    """A second level, such as redis://127.0.0.1:6379/0, for several nodes to share; empty for
    none."""
    redis_seconds: Seconds = 0.05
    """How long Redis is waited for before the program is run instead."""
    secret: str = ""
    """At least 32 characters, the same on every node: what comes back from Redis was put there by
    who knows it. Needed with `redis`, and with server.idempotency_redis."""

    def __post_init__(self) -> None:
        if self.redis:
            self.check_secret("results.redis")

    def check_secret(self, setting: str) -> None:
        """
        :param setting: what needs it
        :raises ValueError: it is too short to be one
        """
        if len(self.secret) < _SECRET_CHARACTERS:
            raise ValueError(
                f"results.secret must have at least {_SECRET_CHARACTERS} characters where"
                f" {setting} is set, or whoever can write there could answer for us"
            )


class Database(Section):
    """Where keys, sessions and records are kept."""

    url: str = ""
    """A SurrealDB server, such as wss://db.example.org/rpc, for several nodes to share; empty for
    one that is part of this process, in the instance's directory."""
    user: str = ""
    password: str = ""
    namespace: str = "soulbox"
    name: str = "soulbox"
    """The database's, in its namespace."""
    replicas: tuple[str, ...] = ()
    """More servers with the same data, which may lag behind; what may be old is read there."""
    seconds: Seconds = 5.0
    """Longest that an answer is waited for."""
    fresh_seconds: Seconds = 5.0
    """With `url`: how old what is known of a key or session may be; so long may one that was
    revoked on another node be good here."""
    grace_seconds: Seconds = 300.0
    """With `url`: how old it may be while the database does not answer."""

    def __post_init__(self) -> None:
        if not self.url and (self.replicas or self.user or self.password):
            raise ValueError(
                "database.replicas, database.user and database.password need database.url: without"
                " it the database is part of this process"
            )


class Records(Section):
    """What is kept of each run."""

    enabled: bool = True
    """Whether anything is."""
    seconds: Seconds = 2_592_000.0
    """How long."""
    most: Positive = 20_000
    """In the database that is part of this process: how many are kept at most; the oldest go
    first. One that is a server's has no such bound."""
    code: bool = False
    """Whether the files, arguments and stdin of the request are kept too."""
    output: bool = False
    """Whether stdout and stderr are kept too."""
    content_bytes: Positive = 64 << 10
    """Most that is kept of each of them."""
    batch_seconds: Seconds = 0.25
    """How long a record waits for others to be written with."""
    spool_bytes: Annotated[int, msgspec.Meta(ge=1 << 20)] = 256 << 20
    """What waits on disk while the database does not answer; when it is full, records are lost,
    and counted."""
