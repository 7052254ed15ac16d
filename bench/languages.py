"""Every language beside its bare toolchain, in one run on one machine.

Bare figures are of the same commands in a container of the language's own image, without a cell,
a limit or HTTP around them.
"""

import itertools
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench import http
from bench.measure import LONE_PAUSE_SECONDS, WARM_CALLS, Sample, timed
from bench.programs import HEAVY, HELLO
from bench.report import Report, served
from bench.toolchain import Commands, bare, bare_rate
from soulbox_core import registry, settings
from soulbox_core.images.catalog import image_tag
from soulbox_core.language import Language
from soulbox_core.sandbox.podman_env import podman_environment

CLIENTS = 8
COLD = {
    "python": "env=PYTHONHASHSEED%3D1",
    "javascript": "memory_bytes=268435457",
    "typescript": "memory_bytes=268435457",
    "java": "memory_bytes=268435457",
}
"""What makes a run of the language start cold, with the packages there but not loaded."""
PARKED = 12
"""Java's virtual machines get warm one after the other, when nobody has come for seconds."""
REST_SECONDS = 15.0
MILLISECOND = 1e-3


@dataclass(frozen=True)
class Place:
    """Where things are measured."""

    port: int
    environment: Mapping[str, str]
    languages: Mapping[str, Language]
    count: int

    def bare(self, language: str, what: Commands, count: int | None = None) -> Sample:
        image = image_tag(self.languages[language])
        return bare(self.environment, image, what, count or max(5, self.count // 4))

    def bare_rate(self, language: str, what: Commands) -> float:
        image = image_tag(self.languages[language])
        return bare_rate(self.environment, image, what, CLIENTS * 4, CLIENTS)

    def same(self, language: str, source: str, query: str = "", count: int | None = None) -> Sample:
        """The same source again and again, each time after a pause in which cells are parked."""
        client = http.Client(self.port)
        message = http.request(self.port, source, language, query)
        return timed(lambda: client.run(message), count or self.count, pause=LONE_PAUSE_SECONDS)

    def fresh(self, language: str, source: str) -> tuple[Sample, Sample]:
        """A source that was never seen before each time: the whole request, and its compiling."""
        client = http.Client(self.port)
        compiling: list[float] = []
        numbers = itertools.count()

        def run() -> None:
            text = source.replace("World!", f"World! {os.getpid()}.{next(numbers)}")
            answer = client.run(http.request(self.port, text, language))
            compiling.append(answer["timings"]["compile_seconds"] or 0.0)

        whole = timed(run, max(10, self.count // 4), pause=LONE_PAUSE_SECONDS)
        return whole, Sample(tuple(compiling[-len(whole.seconds) :]))

    def rate(self, language: str, source: str) -> float:
        message = http.request(self.port, source, language)
        return http.crowd(self.port, message, CLIENTS, max(4, self.count // CLIENTS))[1]


def javascript(place: Place, report: Report) -> None:
    bare_node = Commands((("node", "hello.js"),), {"hello.js": HELLO["javascript"]})
    hello, base = place.same("javascript", HELLO["javascript"]), place.bare("javascript", bare_node)
    report.ratio("JavaScript hello, parked / node hello.js", hello, base, "<= 0.2")
    report.rates(
        "JavaScript",
        place.rate("javascript", HELLO["javascript"]),
        place.bare_rate("javascript", bare_node),
    )


def typescript(place: Place, report: Report) -> None:
    bare_tsc = Commands(
        (("tsc", "--noCheck", "--ignoreConfig", "hello.ts"), ("node", "hello.js")),
        {"hello.ts": HELLO["typescript"]},
    )
    hello, _ = place.fresh("typescript", HELLO["typescript"])
    base = place.bare("typescript", bare_tsc)
    report.ratio("TypeScript hello, parked, not cached / tsc, node", hello, base, "<= 0.33")
    report.rates(
        "TypeScript",
        place.rate("typescript", HELLO["typescript"]),
        place.bare_rate("typescript", bare_tsc),
    )


def native(place: Place, report: Report, title: str, language: str, build: Commands) -> None:
    """A language whose artifact is a program."""
    binary = Commands((("/box/hello",),), build.files, build.timed, build.env)
    base = place.bare(language, binary, place.count)
    cached = place.same(language, HELLO[language])
    report.row(
        f"{title} compiled before - bare binary, ms",
        cached,
        base,
        (cached.p50 - base.p50) / MILLISECOND,
        "<= 5",
    )
    _, compiling = place.fresh(language, HELLO[language])
    report.ratio(
        f"{title}, compiling / bare {build.timed[-1][0]} {build.timed[-1][1]}",
        compiling,
        place.bare(language, build),
        "<= 1.1",
    )
    report.rates(title, place.rate(language, HELLO[language]), place.bare_rate(language, binary))


def java(place: Place, report: Report) -> None:
    files = {"Main.java": HELLO["java"]}
    compiling, running = ("javac", "Main.java"), ("java", "-cp", "/box", "Main")
    base = place.bare("java", Commands((running,), files, (compiling,)))
    cached = place.same("java", HELLO["java"])
    report.row(
        "Java compiled before - bare java -cp, ms",
        cached,
        base,
        (cached.p50 - base.p50) / MILLISECOND,
        "<= 5",
    )
    report.ratio("Java compiled before, parked / bare java -cp", cached, base, "<= 0.5")
    both = Commands((compiling, running), files, fresh=True)
    fresh, _ = place.fresh("java", HELLO["java"])
    report.ratio(
        "Java not compiled before / javac, java", fresh, place.bare("java", both), "<= 0.25"
    )
    report.rates(
        "Java",
        place.rate("java", HELLO["java"]),
        place.bare_rate("java", Commands((running,), files, (compiling,))),
    )


FROM_SOURCE = {
    "go": Commands(
        first=(
            ("go", "mod", "init", "example"),
            ("go", "get", "gonum.org/v1/gonum/mat@v0.17.0", "go.uber.org/zap@v1.28.0"),
            ("go", "get", "github.com/stretchr/testify/assert@v1.12.1"),
        ),
        timed=(("go", "clean", "-cache"), ("go", "build", "-o", "program", ".")),
        files={"main.go": HEAVY["go"]},
        env={
            "GOPATH": "/box/go",
            "GOCACHE": "/box/cache",
            "GOFLAGS": "-mod=mod",
            "GOENV": "off",
            "GOWORK": "off",
        },
        fresh=True,
        online=True,
    ),
    "rust": Commands(
        first=(("cargo", "fetch"),),
        timed=(("rm", "-rf", "target"), ("cargo", "build", "--offline")),
        files={
            "src/main.rs": HEAVY["rust"],
            "Cargo.toml": '[package]\nname = "program"\nversion = "0.1.0"\nedition = "2024"\n\n'
            '[dependencies]\nregex = "1"\nserde_json = "1"\n'
            'tokio = { version = "1", features = ["full"] }\n',
        },
        env={"CARGO_HOME": "/box/cargo"},
        fresh=True,
        online=True,
    ),
}
"""The program with its packages fetched before, and nothing of them compiled."""
FEW = 3
"""Times that a program is built from source: it takes half a minute."""


def built_ahead(place: Place, report: Report) -> None:
    """A program that is new, with preloads compiled before, and the same built from source."""
    for language, commands in FROM_SOURCE.items():
        ahead, _ = place.fresh(language, HEAVY[language])
        source = place.bare(language, commands, FEW)
        report.ratio(f"preloads of {language}: from source / compiled", source, ahead, ">= 2")


def preloads(place: Place, report: Report) -> None:
    """A program with the heaviest preloads, against the same where nothing is loaded yet."""
    time.sleep(REST_SECONDS)
    for language, bar in (("java", 5), ("python", 5), ("javascript", 2), ("typescript", 2)):
        warm = place.same(language, HEAVY[language], count=PARKED - WARM_CALLS)
        cold = place.same(language, HEAVY[language], COLD[language], PARKED - WARM_CALLS)
        report.ratio(f"preloads of {language}: cold / parked", cold, warm, f">= {bar}")


def main(count: int) -> int:
    loaded = settings.load(env=os.environ)
    languages = registry.load(loaded).languages
    report = Report()
    with served("bench-languages") as (service, ready_seconds):
        place = Place(service.port, podman_environment(loaded), languages, count)
        javascript(place, report)
        typescript(place, report)
        native(
            place,
            report,
            "Go",
            "go",
            Commands(
                (("go", "build", "-o", "hello", "hello.go"),), {"hello.go": HELLO["go"]}, fresh=True
            ),
        )
        native(
            place,
            report,
            "Rust",
            "rust",
            Commands(
                (("rustc", "hello.rs", "-o", "hello"),), {"hello.rs": HELLO["rust"]}, fresh=True
            ),
        )
        java(place, report)
        built_ahead(place, report)
    with served("bench-languages", f"languages.java.parked={PARKED}") as (service, _):
        preloads(Place(service.port, podman_environment(loaded), languages, count), report)
    report.show()
    print(f"ready after {ready_seconds:.1f} s with {len(languages)} languages")
    return report.missed


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
