"""What the service tells of itself: metrics, traces, a log line for each run."""

from contextlib import AsyncExitStack
from importlib import import_module
from importlib.metadata import version

from soulbox_core.errors import SettingsError
from soulbox_core.remote.address import is_address
from soulbox_core.report import Witness
from soulbox_core.settings import Telemetry
from soulbox_core.telemetry.metrics import Metrics
from soulbox_core.telemetry.run_log import RunLog

VERSION = version("soulbox-core")


def metrics_of(settings: Telemetry) -> Metrics | None:
    """What counts, if anything is to be counted."""
    return Metrics(VERSION) if settings.metrics else None


def witnesses_of(
    settings: Telemetry,
    node: str,
    metrics: Metrics | None,
    journal: Witness | None,
    closing: AsyncExitStack,
) -> list[Witness]:
    """Who is told of each run, in this order: a record is kept first, and the log line comes when
    it is known what trace it is part of.

    :param node: names the instance
    :raises SettingsError: telemetry.otlp is no address
    """
    witnesses: list[Witness] = [each for each in (journal, metrics) if each is not None]
    if settings.otlp:
        witnesses.append(_traces(settings, node, closing))
    return [*witnesses, RunLog()]


def _traces(settings: Telemetry, node: str, closing: AsyncExitStack) -> Witness:
    """What makes spans. Its libraries take some 20 MB, and are loaded for those who want them."""
    if not is_address(settings.otlp, ("http", "https")):
        raise SettingsError("telemetry.otlp: write it as http://127.0.0.1:4318")
    module = import_module("soulbox_core.telemetry.traces")
    traces = module.Traces(settings.otlp, settings.trace_ratio, node, VERSION)
    closing.push_async_callback(traces.close)
    witness: Witness = traces
    return witness
