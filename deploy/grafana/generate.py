"""Writes soulbox.json, the dashboard: `python3 deploy/grafana/generate.py`.

What a panel shows is said in `ROWS`; all else is the same for every panel.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

FILE = Path(__file__).with_name("soulbox.json")
SCHEMA = 39
"""Of Grafana 11; newer ones read it and bring it up to date."""

_COLUMNS = 24
_HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Unit = Literal["s", "bytes", "Bps", "ops", "reqps", "percentunit", "short", "none"]
"""Ids of Grafana's: seconds, bytes, bytes/s, operations/s, requests/s, 0 to 1 as percent."""


class Query(NamedTuple):
    """What is drawn. `$of` stands for the chosen instances, `$lang` for the chosen languages."""

    legend: str
    promql: str


class Panel(NamedTuple):
    """A graph."""

    title: str
    unit: Unit
    queries: tuple[Query, ...]
    note: str = ""
    most: float | None = None
    """Upper end of the axis."""


class Row(NamedTuple):
    """Panels beside each other, under a heading."""

    title: str
    panels: tuple[Panel, ...]


def _quantiles(metric: str, matchers: str, by: str) -> tuple[Query, ...]:
    """Median and the slow ends of a histogram."""
    return tuple(
        Query(
            f"{{{{{by}}}}} p{round(quantile * 100)}",
            f"histogram_quantile({quantile}, sum by ({by}, le)"
            f" (rate({metric}_bucket{{{matchers}}}[$__rate_interval])))",
        )
        for quantile in (0.5, 0.95, 0.99)
    )


def _rate(metric: str, by: str, matchers: str = "$of") -> str:
    """How often, by some labels."""
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def _total(metric: str, matchers: str = "$of") -> str:
    """How often, all together."""
    return f"sum(rate({metric}{{{matchers}}}[$__rate_interval]))"


def _or_none(promql: str) -> str:
    """The same, and 0 where there is nothing yet."""
    return f"({promql} or vector(0))"


def _now(metric: str) -> str:
    """How it is on each instance."""
    return f"{metric}{{$of}}"


OURS = "internal_error|cell_lost|.+_failed"
"""Codes of problems that are our failures; all others are the client's or a full host's."""

ROWS = (
    Row(
        "Latency",
        (
            Panel(
                "Runs, from acceptance to end",
                "s",
                _quantiles("soulbox_execution_duration_seconds", "$lang", "language"),
                "The time of the program itself included.",
            ),
            Panel(
                "Requests",
                "s",
                _quantiles("soulbox_request_duration_seconds", "$of", "route"),
            ),
            Panel(
                "Stages of runs, p95",
                "s",
                (
                    Query(
                        "{{stage}}",
                        "histogram_quantile(0.95, sum by (stage, le) (rate("
                        "soulbox_execution_stage_duration_seconds_bucket{$lang}"
                        "[$__rate_interval])))",
                    ),
                ),
                "Each for those runs that had it. Teardown is after the answer.",
            ),
            Panel(
                "Where the time of runs goes",
                "s",
                (
                    Query(
                        "{{stage}}",
                        _rate("soulbox_execution_stage_duration_seconds_sum", "stage", "$lang"),
                    ),
                ),
                "Seconds spent in a stage, in each second.",
            ),
        ),
    ),
    Row(
        "Traffic",
        (
            Panel(
                "Runs",
                "ops",
                (
                    Query(
                        "{{language}} {{status}}",
                        _rate("soulbox_executions_total", "language, status", "$lang"),
                    ),
                ),
            ),
            Panel(
                "Requests",
                "reqps",
                (
                    Query(
                        "{{protocol}} {{route}} {{code}}",
                        _rate("soulbox_request_duration_seconds_count", "protocol, route, code"),
                    ),
                ),
            ),
        ),
    ),
    Row(
        "Errors",
        (
            Panel(
                "Runs and requests that we failed",
                "percentunit",
                (
                    Query(
                        "runs",
                        _or_none(_total("soulbox_executions_total", '$lang, status="error"'))
                        + " / "
                        + _total("soulbox_executions_total", "$lang"),
                    ),
                    Query(
                        "requests",
                        _or_none(_total("soulbox_rejections_total", f'$of, reason=~"{OURS}"'))
                        + " / "
                        + _total("soulbox_request_duration_seconds_count"),
                    ),
                ),
                "What a program does is no error: a run that exits with 1 ended well for us.",
                1.0,
            ),
            Panel(
                "Programs that did not end well",
                "percentunit",
                (
                    Query(
                        "{{language}}",
                        _rate(
                            "soulbox_executions_total",
                            "language",
                            '$lang, status!~"ok|error|cancelled"',
                        )
                        + " / "
                        + _rate("soulbox_executions_total", "language", "$lang"),
                    ),
                ),
                "Theirs, not ours.",
                1.0,
            ),
            Panel(
                "Requests refused or failed",
                "reqps",
                (Query("{{reason}}", _rate("soulbox_rejections_total", "reason")),),
            ),
            Panel(
                "Rate limits hit",
                "reqps",
                (Query("{{bucket}}", _rate("soulbox_rate_limit_hits_total", "bucket")),),
            ),
        ),
    ),
    Row(
        "Saturation",
        (
            Panel(
                "Runs active and waiting",
                "short",
                (
                    Query("{{instance}} active", _now("soulbox_executions_active")),
                    Query("{{instance}} waiting", _now("soulbox_queue_depth")),
                ),
            ),
            Panel(
                "Memory set aside for runs",
                "bytes",
                (
                    Query("{{instance}} reserved", _now("soulbox_memory_reserved_bytes")),
                    Query("{{instance}} of", _now("soulbox_memory_reservable_bytes")),
                ),
            ),
            Panel(
                "Processes set aside for runs",
                "short",
                (
                    Query("{{instance}} reserved", _now("soulbox_processes_reserved")),
                    Query("{{instance}} of", _now("soulbox_processes_reservable")),
                ),
            ),
            Panel(
                "Cells parked and under way",
                "short",
                (
                    Query("{{language}} parked", "sum by (language) (soulbox_cells_parked{$lang})"),
                    Query(
                        "{{language}} under way",
                        "sum by (language) (soulbox_cells_making{$lang})",
                    ),
                ),
            ),
            Panel(
                "Cells that were parked when they were asked for",
                "percentunit",
                (
                    Query(
                        "{{language}}",
                        _rate("soulbox_cells_claimed_total", "language", '$lang, parked="true"')
                        + " / "
                        + _rate("soulbox_cells_claimed_total", "language", "$lang"),
                    ),
                ),
                most=1.0,
            ),
            Panel(
                "Held for clients, and the process",
                "bytes",
                (
                    Query("{{instance}} held", _now("soulbox_held_bytes")),
                    Query("{{instance}} resident", _now("process_resident_memory_bytes")),
                ),
            ),
            Panel(
                "CPU of the process, and of programs",
                "short",
                (
                    Query("{{instance}}", _rate("process_cpu_seconds_total", "instance")),
                    Query(
                        "{{instance}} programs",
                        _rate("soulbox_execution_cpu_seconds_total", "instance", "$lang"),
                    ),
                ),
                "In cores.",
            ),
            Panel(
                "Connections and descriptors",
                "short",
                (
                    Query("{{instance}} connections", _now("soulbox_connections_open")),
                    Query("{{instance}} descriptors", _now("process_open_fds")),
                ),
            ),
            Panel(
                "Connections refused",
                "ops",
                (Query("{{instance}}", _rate("soulbox_connections_refused_total", "instance")),),
            ),
            Panel(
                "Memory of runs at their peak",
                "bytes",
                _quantiles("soulbox_execution_memory_peak_bytes", "$lang", "language"),
            ),
        ),
    ),
    Row(
        "Caches",
        (
            Panel(
                "Answered from a cache",
                "percentunit",
                (
                    Query(
                        "{{cache}}",
                        _rate("soulbox_cache_requests_total", "cache", '$of, result!="miss"')
                        + " / "
                        + _rate("soulbox_cache_requests_total", "cache"),
                    ),
                ),
                "Joined to an equal request that was under way included.",
                1.0,
            ),
            Panel(
                "Asked of caches",
                "ops",
                (
                    Query(
                        "{{cache}} {{result}} {{level}}",
                        _rate("soulbox_cache_requests_total", "cache, result, level"),
                    ),
                ),
            ),
            Panel(
                "Held by caches",
                "bytes",
                (Query("{{instance}} {{cache}}", _now("soulbox_cache_bytes")),),
            ),
            Panel(
                "Evicted, damaged, without Redis",
                "ops",
                (
                    Query("{{cache}} evicted", _rate("soulbox_cache_evictions_total", "cache")),
                    Query("{{cache}} damaged", _rate("soulbox_cache_damaged_total", "cache")),
                    Query(
                        "result without Redis",
                        _total("soulbox_result_cache_redis_failures_total"),
                    ),
                    Query("rates without Redis", _total("soulbox_rate_limit_fallbacks_total")),
                ),
            ),
        ),
    ),
    Row(
        "Records and database",
        (
            Panel(
                "Records",
                "ops",
                (
                    Query("{{result}}", _rate("soulbox_records_total", "result")),
                    Query("dropped for room", _total("soulbox_records_dropped_for_room_total")),
                ),
            ),
            Panel(
                "Records that wait",
                "bytes",
                (Query("{{instance}}", _now("soulbox_records_waiting_bytes")),),
            ),
            Panel(
                "Files of records damaged and refused, since the start",
                "none",
                (
                    Query("{{instance}} damaged", _now("soulbox_record_files_damaged_total")),
                    Query("{{instance}} refused", _now("soulbox_record_files_refused_total")),
                    Query(
                        "{{instance}} damaged in the database",
                        _now("soulbox_database_damaged_total"),
                    ),
                ),
            ),
            Panel(
                "Database answers",
                "none",
                (Query("{{instance}} {{server}}", _now("soulbox_database_up")),),
                most=1.0,
            ),
            Panel(
                "Reads of records",
                "ops",
                (
                    Query("{{server}}", _rate("soulbox_database_reads_total", "server")),
                    Query("{{server}} fails", _rate("soulbox_database_failures_total", "server")),
                    Query("rewrites", _total("soulbox_database_rewrites_total")),
                ),
            ),
        ),
    ),
    Row(
        "Containers",
        (
            Panel(
                "Started, in an hour",
                "short",
                (
                    Query(
                        "{{language}}",
                        "sum by (language) (increase(soulbox_containers_created_total{$lang}[1h]))",
                    ),
                ),
            ),
            Panel(
                "Ended, in an hour",
                "short",
                (
                    Query(
                        "{{language}} {{reason}}",
                        "sum by (language, reason)"
                        " (increase(soulbox_containers_destroyed_total{$lang}[1h]))",
                    ),
                ),
            ),
        ),
    ),
    Row(
        "Egress",
        (
            Panel(
                "Sent and received by runs",
                "Bps",
                (Query("{{direction}}", _rate("soulbox_egress_bytes_total", "direction")),),
            ),
            Panel(
                "Connections of runs",
                "ops",
                (
                    Query(
                        "allowed: {{allowed}}",
                        _rate("soulbox_egress_connections_total", "allowed"),
                    ),
                ),
            ),
        ),
    ),
)


def expression(query: Query) -> str:
    """A query's PromQL, as Grafana gets it."""
    of = 'instance=~"$instance"'
    return query.promql.replace("$lang", f'{of}, language=~"$language"').replace("$of", of)


def dashboard() -> dict[str, Any]:
    """The whole of it, as Grafana imports it."""
    return {
        "uid": "soulbox",
        "title": "SoulBox",
        "description": "Runs of untrusted code: the four golden signals, and what is behind them.",
        "tags": ["soulbox"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": list(_variables())},
        "panels": list(_panels()),
    }


def text() -> str:
    """What soulbox.json is to hold."""
    return json.dumps(dashboard(), indent=1) + "\n"


def _variables() -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "options": [],
        "refresh": 1,
        "regex": "",
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }
    for name, label, query in (
        ("instance", "Instance", "label_values(soulbox_build_info, instance)"),
        ("language", "Language", "label_values(soulbox_cells_parked, language)"),
    ):
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "current": {"selected": True, "text": "All", "value": "$__all"},
            "options": [],
            "refresh": 2,  # whenever the time range changes
            "regex": "",
            "sort": 1,
            "hide": 0,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
        }


def _panels() -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in ROWS:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
            "panels": [],
        }
        y += 1
        abreast = _abreast(len(row.panels))
        width = _COLUMNS // abreast
        for at, panel in enumerate(row.panels):
            number += 1
            line, column = divmod(at, abreast)
            place = {"x": column * width, "y": y + line * _HEIGHT, "w": width, "h": _HEIGHT}
            yield _graph(number, panel, place)
        y += -(-len(row.panels) // abreast) * _HEIGHT


def _abreast(panels: int) -> int:
    """How many stand beside each other, so that the last line has the fewest holes."""
    return panels if panels <= 3 else min((4, 3), key=lambda each: -panels % each)


def _graph(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    bounds: dict[str, float] = {"min": 0} if panel.most is None else {"min": 0, "max": panel.most}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.note,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                **bounds,
                "custom": {"fillOpacity": 8, "showPoints": "never", "spanNulls": False},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _SOURCE,
                "expr": expression(query),
                "legendFormat": query.legend,
                "range": True,
            }
            for at, query in enumerate(panel.queries)
        ],
    }


if __name__ == "__main__":
    FILE.write_text(text())
