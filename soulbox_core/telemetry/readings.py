"""What is read of the service's parts when somebody asks for metrics."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values of the labels, and the number."""


class Reading(NamedTuple):
    """One metric, and where its numbers are."""

    kind: Literal["counter", "gauge"]
    name: str
    """A counter's is without `_total`."""
    documentation: str
    labels: tuple[str, ...]
    read: Callable[[], Samples]


class Readings(Collector):
    """Reads them all, each time they are asked for."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = tuple(readings)

    def describe(self) -> Iterable[Metric]:
        """The metrics without their numbers, which need not be there yet."""
        return [_family(reading, ()) for reading in self._readings]

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        for reading in self._readings:
            yield _family(reading, tuple(reading.read()))


def _family(reading: Reading, samples: Samples) -> Metric:
    family = (CounterMetricFamily if reading.kind == "counter" else GaugeMetricFamily)(
        reading.name, reading.documentation, labels=reading.labels
    )
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
