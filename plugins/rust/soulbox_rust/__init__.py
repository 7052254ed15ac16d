"""Rust for SoulBox: rustc with common crates compiled and the standard library linked already."""

import math
import os
from pathlib import Path

from soulbox_core import Dependencies, Image, Language, Source, hookimpl
from soulbox_rust.compiling import CRATES_VARIABLE, EDITION, OPTIMIZE, compiling
from soulbox_rust.preloads import CRATES, REQUIREMENT

_OURS = Path(__file__).with_name("image")
_IN_IMAGE = "/opt/soulbox/rust"
_CORES = os.cpu_count() or 1


def _environment(source: Source) -> dict[str, str]:
    """Keep thread pools to the cores that a program has: it sees those of the host."""
    threads = str(max(1, min(math.ceil(source.limits.cpus), _CORES)))
    return {"RAYON_NUM_THREADS": threads, "TOKIO_WORKER_THREADS": threads}


RUST = Language(
    name="rust",
    title="Rust",
    aliases=("rs",),
    image=Image(
        # Debian's newest Rust; the package called rustc stays at what trixie was released with.
        packages=("rustc-web", "cargo-web", "mold"),
        files={f"{_IN_IMAGE}/{name}": _OURS / name for name in ("crates.py", "link.rs", "std.py")},
        setup=(
            ("python3", f"{_IN_IMAGE}/std.py"),
            ("python3", f"{_IN_IMAGE}/crates.py", "prepare", "{preloads}"),
        ),
    ),
    source_file="main.rs",
    options=(OPTIMIZE, EDITION),
    compile=compiling,
    run=("{artifact}/main",),
    version=("rustc", "--version"),
    hello='fn main() {\n    println!("Hello, World!");\n}\n',
    env=_environment,
    preloads=CRATES,
    dependencies=Dependencies(
        requirement=REQUIREMENT,
        install=("python3", f"{_IN_IMAGE}/crates.py", "install", "{out}", "{requirements}"),
        env={CRATES_VARIABLE: "{dependencies}"},
    ),
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [RUST]
