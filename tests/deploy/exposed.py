"""Every metric that the service tells of, with every label and its values."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from soulbox_core.api.problems import HTTP_STATUSES, TABLE, http_row
from soulbox_core.assembly import readings
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.model import Status, Timings, Visit
from soulbox_core.report import Refusal
from soulbox_core.results.cache import ResultCache
from soulbox_core.sandbox.pool_figures import PoolFigures
from soulbox_core.service.admission import Admission
from soulbox_core.service.room import Room
from soulbox_core.settings import Results
from soulbox_core.store.port import Health
from soulbox_core.store.tally import Tally
from soulbox_core.telemetry.metrics import Metrics
from soulbox_core.telemetry.readings import Reading
from tests.journal.samples import report
from tests.samples import outcome


class Exposed(NamedTuple):
    """A metric as `# TYPE` has it."""

    kind: str
    labels: dict[str, set[str]]
    """Their values, by name. A histogram's `le` is none of them."""
    samples: set[str]
    """What its numbers are called."""


def parsed(text: str) -> dict[str, Exposed]:
    """What a text in Prometheus' format tells of."""
    found = {}
    for family in text_string_to_metric_families(text):
        labels: dict[str, set[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
        if family.type == "histogram":
            labels.pop("le", None)
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = Exposed(family.type, labels, {sample.name for sample in family.samples})
    return found


def ours(metrics: dict[str, Exposed]) -> dict[str, Exposed]:
    """Those that are SoulBox's own and not the Python client's."""
    return {name: each for name, each in metrics.items() if name.startswith("soulbox_")}


def exposed(directory: Path) -> dict[str, Exposed]:
    """All there is, after everything happened once.

    :param directory: an empty one
    """
    metrics = Metrics("1.2.3")
    _happen(metrics)
    metrics.watch(_readings(directory))
    return parsed(metrics.text().decode())


def _happen(metrics: Metrics) -> None:
    timings = Timings(
        queue_seconds=0.1,
        install_seconds=0.1,
        compile_seconds=0.1,
        claim_seconds=0.1,
        run_seconds=0.1,
    )
    network = tuple(
        Visit(host="a", port=80, allowed=allowed, connections=1, sent_bytes=1, received_bytes=1)
        for allowed in (True, False)
    )
    for status in Status:
        came = outcome(status=status, timings=timings, network=network)
        metrics.ended(report(outcome=came))
    for failure in ("cell_lost", "cancelled"):
        metrics.ended(report(outcome=None, failure=failure))
    metrics.torn_down("lua", 0.1)
    metrics.answered("http", "run", "200", 0.1, None)
    for row in (*TABLE.values(), *map(http_row, HTTP_STATUSES)):
        metrics.answered("http", "run", str(row.status), 0.1, Refusal(code=row.code))
    for bucket in ("caller", "total", "address"):
        refusal = Refusal(code="rate_limited", bucket=bucket)
        metrics.answered("http", "run", "429", 0.1, refusal)


def _readings(directory: Path) -> list[Reading]:
    """Of stand-ins where a part needs cells, a loop or a server: what is read is theirs, what it
    is called is not. tests/integration/test_telemetry.py reads the parts themselves."""
    pool = PoolFigures(
        parked=1,
        making=1,
        parked_claims=1,
        other_claims=1,
        containers_created=1,
        containers_destroyed={"lost": 1},
    )
    made: Any = SimpleNamespace(obtained=Counter(hit=1, joined=1, miss=1))
    journal: Any = SimpleNamespace(written=1, lost=1, waiting_bytes=1, damaged=1, refused=1)
    stores: Any = SimpleNamespace(
        health=lambda: Health(primary=True, replicas=(True, False)),
        tally=Tally(),
        primary_failures=0,
    )
    limiter: Any = SimpleNamespace(fallbacks=1)
    hold: Any = SimpleNamespace(held_bytes=1)
    connections: Any = SimpleNamespace(open=1, refused=1)
    return [
        *readings.of_runs(Admission(room=Room(), queue=1, queue_seconds=1.0)),
        *readings.of_pools(lambda: {"lua": pool}),
        *readings.of_caches(made, made, ArtifactStore(directory, 1 << 20), ResultCache(Results())),
        *readings.of_records(journal),
        *readings.of_database(stores),
        *readings.of_limiter(limiter),
        *readings.of_clients(hold, connections),
    ]
