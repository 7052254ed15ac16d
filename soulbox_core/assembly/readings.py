"""What metrics read of the service's parts when they are asked for. What happens between two
readings is counted by `telemetry.metrics`, as it happens."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Literal

from soulbox_core.api.connections import Connections
from soulbox_core.api.hold import Hold
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.journal.journal import Journal
from soulbox_core.quotas.limiter import RedisLimiter
from soulbox_core.results.cache import ResultCache
from soulbox_core.sandbox.pool_figures import PoolFigures
from soulbox_core.service.admission import Admission
from soulbox_core.service.builds import Builds
from soulbox_core.service.installs import Installs
from soulbox_core.store.opening import Stores
from soulbox_core.telemetry.readings import Reading, Samples

_CACHE_REQUESTS = "soulbox_cache_requests"
_ENDS: tuple[Literal["lost", "replaced", "closed"], ...] = ("lost", "replaced", "closed")
"""Why containers end. Each is told from the start: Prometheus sees no growth in a number that was
not there before."""


def of_runs(admission: Admission) -> Iterable[Reading]:
    """Who runs and who waits."""
    yield _gauge(
        "soulbox_executions_active", "Runs that were let in and are not over.", admission, "running"
    )
    yield _gauge("soulbox_queue_depth", "Runs that wait for room.", admission, "waiting")
    yield _gauge(
        "soulbox_memory_reserved_bytes",
        "Memory set aside for runs.",
        admission,
        "reserved.memory_bytes",
    )
    yield _gauge(
        "soulbox_memory_reservable_bytes",
        "Memory that can be set aside for runs, all together.",
        admission,
        "total.memory_bytes",
    )
    yield _gauge(
        "soulbox_processes_reserved",
        "Processes set aside for runs.",
        admission,
        "reserved.processes",
    )
    yield _gauge(
        "soulbox_processes_reservable",
        "Processes that can be set aside for runs, all together.",
        admission,
        "total.processes",
    )


def of_pools(figures: Callable[[], Mapping[str, PoolFigures]]) -> Iterable[Reading]:
    """What is kept warm."""

    def each(name: str) -> Callable[[], Samples]:
        return lambda: [((language,), getattr(pool, name)) for language, pool in figures().items()]

    def destroyed() -> Samples:
        for language, pool in figures().items():
            for reason in _ENDS:
                yield (language, reason), pool.containers_destroyed.get(reason, 0)

    def claims() -> Samples:
        for language, pool in figures().items():
            yield (language, "true"), pool.parked_claims
            yield (language, "false"), pool.other_claims

    language = ("language",)
    yield Reading(
        "gauge", "soulbox_cells_parked", "Cells that wait for a run.", language, each("parked")
    )
    yield Reading("gauge", "soulbox_cells_making", "Cells under way.", language, each("making"))
    yield Reading(
        "counter",
        "soulbox_cells_claimed",
        "Cells given to runs and other steps, by whether one was parked.",
        ("language", "parked"),
        claims,
    )
    yield Reading(
        "counter",
        "soulbox_containers_created",
        "Containers that were started.",
        language,
        each("containers_created"),
    )
    yield Reading(
        "counter",
        "soulbox_containers_destroyed",
        "Containers that were ended, by why: lost, replaced, closed.",
        ("language", "reason"),
        destroyed,
    )


def of_caches(
    builds: Builds, installs: Installs, store: ArtifactStore, results: ResultCache | None
) -> Iterable[Reading]:
    """What did not have to be made again."""

    def requests() -> Samples:
        for kind, obtained in (("compile", builds.obtained), ("layer", installs.obtained)):
            for way, count in tuple(obtained.items()):
                yield (kind, "disk" if way == "hit" else "none", way), count
        if results is not None:
            counts = results.counts
            yield ("result", "memory", "hit"), counts.hits_memory
            yield ("result", "redis", "hit"), counts.hits_redis
            yield ("result", "none", "joined"), counts.joined
            yield ("result", "none", "miss"), counts.misses

    def sizes() -> Samples:
        yield ("store",), store.stats().bytes
        if results is not None:
            yield ("result",), results.counts.bytes

    def damaged() -> Samples:
        yield ("store",), store.stats().damaged
        if results is not None:
            yield ("result",), results.counts.damaged

    def evicted() -> Samples:
        yield ("store",), store.stats().evictions
        if results is not None:
            yield ("result",), results.counts.evicted

    yield Reading(
        "counter",
        _CACHE_REQUESTS,
        "What was asked of a cache (compile, layer, result), which level had it, and what came of"
        " it: hit, joined to one under way, miss.",
        ("cache", "level", "result"),
        requests,
    )
    yield Reading("gauge", "soulbox_cache_bytes", "What a cache holds.", ("cache",), sizes)
    yield Reading(
        "counter",
        "soulbox_cache_damaged",
        "Entries that were not what was put there, and were not served.",
        ("cache",),
        damaged,
    )
    yield Reading(
        "counter",
        "soulbox_cache_evictions",
        "Entries that made room for others.",
        ("cache",),
        evicted,
    )
    if results is not None:
        yield _counter(
            "soulbox_result_cache_redis_failures",
            "Times that the result cache asked Redis and got no answer.",
            results.counts,
            "redis_failures",
        )


def of_records(journal: Journal) -> Iterable[Reading]:
    """How records of runs get on."""
    yield Reading(
        "counter",
        "soulbox_records",
        "Records of runs, by what became of them: written to the database, or lost.",
        ("result",),
        lambda: [(("written",), journal.written), (("lost",), journal.lost)],
    )
    yield _gauge(
        "soulbox_records_waiting_bytes",
        "Records that the database does not have yet.",
        journal,
        "waiting_bytes",
    )
    yield _counter(
        "soulbox_record_files_damaged",
        "Files of records that held something else as well.",
        journal,
        "damaged",
    )
    yield _counter(
        "soulbox_record_files_refused",
        "Files of records that the database did not take although it took others.",
        journal,
        "refused",
    )


def of_database(stores: Stores) -> Iterable[Reading]:
    """How the database is, and where it was read."""

    def up() -> Samples:
        health = stores.health()
        yield ("primary",), health.primary
        for number, replica in enumerate(health.replicas):
            yield (f"replica {number}",), replica

    def reads() -> Samples:
        yield ("primary",), stores.tally.primary_reads
        yield ("replica",), stores.tally.replica_reads

    yield Reading("gauge", "soulbox_database_up", "Whether it answered last.", ("server",), up)
    yield Reading(
        "counter",
        "soulbox_database_reads",
        "Reads of records of runs, by where they were answered.",
        ("server",),
        reads,
    )
    yield Reading(
        "counter",
        "soulbox_database_failures",
        "Times that it did not answer, or not so that it was understood.",
        ("server",),
        lambda: [
            (("primary",), stores.primary_failures),
            (("replica",), stores.tally.replica_failures),
        ],
    )
    yield _counter(
        "soulbox_database_rewrites",
        "Times that a database which is part of the service was made small again.",
        stores.tally,
        "rewrites",
    )
    yield _counter(
        "soulbox_records_dropped_for_room",
        "Records of runs that a database which is part of the service had no room for any more.",
        stores.tally,
        "dropped_for_room",
    )
    yield _counter(
        "soulbox_database_damaged",
        "Records and answers that were not what was kept, and were not served.",
        stores.tally,
        "damaged",
    )


def of_limiter(limiter: RedisLimiter) -> Iterable[Reading]:
    """Whether rates are counted for all nodes together."""
    yield _counter(
        "soulbox_rate_limit_fallbacks",
        "Tokens taken from memory because Redis did not answer.",
        limiter,
        "fallbacks",
    )


def of_clients(hold: Hold, connections: Connections) -> Iterable[Reading]:
    """What clients take of the process."""
    yield _gauge("soulbox_held_bytes", "What is in memory for clients.", hold, "held_bytes")
    yield _gauge("soulbox_connections_open", "Connections of clients.", connections, "open")
    yield _counter(
        "soulbox_connections_refused",
        "Connections closed unheard, because there were too many.",
        connections,
        "refused",
    )


def _gauge(name: str, documentation: str, part: object, attribute: str) -> Reading:
    read = attrgetter(attribute)
    return Reading("gauge", name, documentation, (), lambda: [((), read(part))])


def _counter(name: str, documentation: str, part: object, attribute: str) -> Reading:
    return Reading("counter", name, documentation, (), lambda: [((), getattr(part, attribute))])
