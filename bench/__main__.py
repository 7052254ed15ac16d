"""All bars of the main job, in one run on one machine."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

from bench import http, rivals
from bench.bare import BareLauncher, bare_launcher
from bench.measure import LONE_PAUSE_SECONDS, Sample, timed
from bench.report import Report, served
from soulbox_core import registry, settings
from soulbox_core.images.catalog import image_tag
from soulbox_core.language import Language
from soulbox_core.sandbox import cgroup
from soulbox_core.sandbox.podman_env import podman_environment
from tests.integration.service import Service

HELLO = 'print("hi")'
FRAMES = "import numpy, pandas; print(pandas.DataFrame({'a': numpy.arange(3)}).a.sum())"
CLIENTS = 16
MIB = 1 << 20


def measure_http(service: Service, source: str, count: int) -> tuple[Sample, Sample]:
    """Back to back, and lone."""
    client = http.Client(service.port)
    message = http.request(service.port, source)
    back_to_back = timed(lambda: client.run(message), count)
    lone = timed(lambda: client.run(message), max(20, count // 8), pause=LONE_PAUSE_SECONDS)
    return back_to_back, lone


@dataclass(frozen=True)
class Bare:
    """The bare cell's figures."""

    parked: Sample
    """From the message to a parked cell to its end, one cell after the other."""
    made: Sample
    """The same with the making of the cell."""
    lone: Sample
    rate: float
    """Cells a second, with as many in flight as there are clients."""


def measure_bare(bare: BareLauncher, count: int) -> Bare:
    for _ in range(3):
        bare.lap(HELLO)
    parked, made = [], []
    for _ in range(count):
        start = time.perf_counter()
        parked.append(bare.lap(HELLO))
        made.append(time.perf_counter() - start)
    lone = Sample(tuple(bare.lone(HELLO, LONE_PAUSE_SECONDS) for _ in range(max(20, count // 8))))
    rate = bare.sustain(HELLO, count, CLIENTS)
    return Bare(Sample(tuple(parked)), Sample(tuple(made)), lone, rate)


def pss_without_preloads(loaded: settings.Settings) -> float:
    """MiB of one warm idle container, the only one of its service."""
    others = [one.name for one in entry_points(group="soulbox") if one.name != "python"]
    flags = ("languages.python.preloads=[]", f"plugins.blocked={json.dumps(others)}")
    with served("bench-idle", *flags) as (service, _):
        service.run(HELLO)
        time.sleep(1)
        instance = Path(loaded.state_dir, "instances", "bench-idle", "id").read_text()
        return _pss(loaded, f"soulbox-{instance}") / MIB


def _pss(loaded: settings.Settings, mark: str) -> int:
    command = ("podman", "unshare", sys.executable, "-m", "bench.memory", mark)
    done = subprocess.run(
        command, env=podman_environment(loaded), stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout)


def main(count: int) -> int:
    loaded = settings.load(env=os.environ)
    language: Language = registry.load(loaded).languages["python"]
    image = image_tag(language)
    plain = msgspec.structs.replace(language, preloads=())
    environment = podman_environment(loaded)
    report = Report()

    with bare_launcher(loaded, plain, image) as bare:
        cell = measure_bare(bare, count)
    ran = rivals.podman_run(environment, image, 10)
    entered = rivals.podman_exec(environment, image, 10)
    roots = cgroup.find(loaded.cgroup.roots).directories
    jailed = rivals.nsjail(roots, 30, LONE_PAUSE_SECONDS)
    print(f"bare cell: parked {cell.parked}, lone {cell.lone}, {cell.rate:.0f}/s", flush=True)
    print(f"podman run {ran}; podman exec {entered}; nsjail lone {jailed}", flush=True)

    with served("bench", "languages.python.preloads=[]") as (service, _):
        back, lone = measure_http(service, HELLO, count)
        crowded, rate = http.crowd(
            service.port, http.request(service.port, HELLO), CLIENTS, count // CLIENTS * 2
        )
        first = http.first_byte(service.port, 50)
    with served("bench") as (service, ready_seconds):
        warm_hello, warm_hello_lone = measure_http(service, HELLO, count)
        frames, frames_lone = measure_http(service, FRAMES, count)
        warm_crowded, warm_rate = http.crowd(
            service.port, http.request(service.port, HELLO), CLIENTS, count // CLIENTS * 2
        )
    idle_mib = pss_without_preloads(loaded)

    def ratio(a: Sample, b: Sample) -> float:
        return a.p50 / b.p50

    report.row(
        "hello over HTTP / bare cell, made and run", back, cell.made, ratio(back, cell.made), "<= 2"
    )
    report.row(
        "hello over HTTP / bare parked cell, run alone",
        back,
        cell.parked,
        ratio(back, cell.parked),
        "<= 2",
    )
    report.row("podman exec / hello over HTTP", entered, back, ratio(entered, back), ">= 15")
    report.row("podman run / hello over HTTP", ran, back, ratio(ran, back), ">= 30")
    report.row("lone hello / back to back", lone, back, ratio(lone, back), "<= 1.5")
    report.row("nsjail lone / lone hello", jailed, lone, ratio(jailed, lone), ">= 3")
    report.row(
        "numpy and pandas used / hello", frames, warm_hello, ratio(frames, warm_hello), "<= 2"
    )
    report.row(
        "the same, lone", frames_lone, warm_hello_lone, ratio(frames_lone, warm_hello_lone), "<= 2"
    )
    report.row(
        "throughput, 16 clients / bare",
        f"{rate:.0f}/s",
        f"{cell.rate:.0f}/s",
        rate / cell.rate,
        ">= 0.5",
    )
    report.row("p99 / p50 at 16 clients", crowded, "", crowded.p99 / crowded.p50, "<= 6")
    report.row("first streamed byte, ms", first, "", first.p50 * 1e3, "<= 3")
    report.row("PSS of a warm idle container, MiB", "", "", idle_mib, "<= 30")
    report.row("ready after soulbox serve, s", "", "", ready_seconds, "<= 5")
    report.show()
    print(
        f"with numpy and pandas preloaded: hello {warm_hello}, lone {warm_hello_lone},"
        f" {CLIENTS} clients {warm_rate:.0f}/s, {warm_crowded}"
    )
    return report.missed


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 480)
