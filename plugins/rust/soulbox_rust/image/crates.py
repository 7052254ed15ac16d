"""Builds crates where rustc finds them: the image's own, and those that a request asks for.

Runs in the image, on the standard library alone.

    crates.py prepare REQUIREMENT...            while the image is built
    crates.py install DIRECTORY REQUIREMENT...  in the cell that installs dependencies

A requirement is `name`, `name=VERSION` or `name@VERSION`, the version as in a Cargo.toml, with
features in brackets: `serde[derive]=1`.

What a request asks for may use the image's crates, and a program may use both, so cargo gets all
of them together. It leaves alone what the image has already, as long as everything that goes into
its fingerprints is the same: paths, flags and profile. What is new goes into DIRECTORY:

    externs   words of rustc's command line: what a program may name, and where the image's are
    direct/   crates that a program may name
    deps/     those that they need
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOME = Path("/opt/soulbox/rust")
TARGET = HOME / "target"
REGISTRY = HOME / "registry"
PROJECT = HOME / "project"
EXTERNS = "externs"
FLAGS = "flags"

# Where cargo works. The same for the image and in a cell: it is in cargo's fingerprints.
CARGO_HOME = Path("/tmp/cargo")  # noqa: S108, setup and cells have a /tmp of their own
WORK = Path("/tmp/crates")  # noqa: S108, the same
BUILT = WORK / "target"
OPERATORS = ("config.toml", "credentials.toml")
"""In the home directory of who builds the image: where crates come from."""
_CELL_JOBS = 2
"""A cell sees all cores of the host; each compiler at work takes some 300 MiB."""

REQUIREMENT = re.compile(
    r"([A-Za-z][A-Za-z0-9_-]{0,63})"
    r"(?:\[([A-Za-z0-9_+./,-]*)\])?"
    r"(?:[@=]([0-9A-Za-z.*^~<>=,+-]+))?"
)
MANIFEST = """\
[package]
name = "crates"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[profile.release]
strip = "debuginfo"

[dependencies]
"""
Wanted = Mapping[str, Mapping[str, Any]]
"""Packages, each with what a Cargo.toml says of it: version and features."""
Direct = Mapping[str, Path]
"""What a program calls a crate, and the library that it is."""


def prepare(requirements: Sequence[str]) -> None:
    """Build the image's crates, and keep what a later build can go on from."""
    CARGO_HOME.mkdir()
    for name in OPERATORS:
        if (Path.home() / ".cargo" / name).exists():
            shutil.copy(Path.home() / ".cargo" / name, CARGO_HOME)
    start(wanted(requirements))
    cargo("fetch")
    flags = remapping()
    direct = build(flags)
    PROJECT.mkdir()
    (PROJECT / FLAGS).write_text(flags)
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(WORK / name, PROJECT)
    shutil.copytree(CARGO_HOME / "registry", REGISTRY, ignore=shutil.ignore_patterns("src"))
    shutil.copytree(BUILT, TARGET, ignore=shutil.ignore_patterns("*.d", "libcrates*"))
    thin_out(TARGET)
    ours = {name: in_image(file) for name, file in direct.items()}
    (HOME / EXTERNS).write_text(words(ours, []))


def install(directory: Path, requirements: Sequence[str]) -> None:
    """Build what is asked for beside the image's crates."""
    CARGO_HOME.mkdir()
    shutil.copytree(REGISTRY, CARGO_HOME / "registry")
    ours = tomllib.loads((PROJECT / "Cargo.toml").read_text())["dependencies"]
    start(added(ours, wanted(requirements)))
    shutil.copy(PROJECT / "Cargo.lock", WORK)
    shutil.copytree(TARGET, BUILT, copy_function=link_or_copy)
    fill_out(BUILT)
    direct = build((PROJECT / FLAGS).read_text(), jobs=_CELL_JOBS)
    images = {name: in_image(file) for name, file in direct.items() if file.is_symlink()}
    for name in ("direct", "deps"):
        (directory / name).mkdir(parents=True)
    for name in direct.keys() - images.keys():
        direct[name].rename(directory / "direct" / direct[name].name)
    for file in (file for place in searched(BUILT) for file in place.iterdir()):
        known = file.is_symlink() or file.name.startswith("libcrates-")
        if file.suffix in (".rlib", ".so") and not known:
            file.rename(directory / "deps" / file.name)
    (directory / EXTERNS).write_text(words(images, sorted(direct.keys() - images.keys())))


def wanted(requirements: Iterable[str]) -> Wanted:
    """Packages, each with what a Cargo.toml says of it.

    :raises SystemExit: one of them is not a requirement
    """
    found = {}
    for requirement in requirements:
        parts = REQUIREMENT.fullmatch(requirement)
        if not parts:
            raise SystemExit(f"{requirement!r} is not like `itoa`, `itoa=1` or `uuid[v4]=1.8`")
        name, features, version = parts.groups()
        listed = [feature for feature in (features or "").split(",") if feature]
        found[name] = {"version": version or "*", "features": listed}
    return found


def added(ours: Wanted, theirs: Wanted) -> Wanted:
    """Both; of a package in both, the version is theirs and the features are of both."""
    both = dict(ours)
    for name, asked in theirs.items():
        features = {*asked["features"], *both.get(name, asked)["features"]}
        both[name] = {"version": asked["version"], "features": sorted(features)}
    return both


def start(dependencies: Wanted) -> None:
    """Make a package of nothing but its dependencies."""
    WORK.mkdir()
    lines = (
        f"{name} = {{ version = {json.dumps(what['version'])}, "
        f"features = {json.dumps(what['features'])} }}\n"
        for name, what in sorted(dependencies.items())
    )
    (WORK / "Cargo.toml").write_text(MANIFEST + "".join(lines))
    (WORK / "lib.rs").touch()


def remapping() -> str:
    """Flags by which messages name `serde-1.0.0/src/lib.rs`, and not where that was."""
    sources = sorted((CARGO_HOME / "registry" / "src").iterdir())
    return " ".join(f"--remap-path-prefix={source}/=" for source in sources)


def build(flags: str, *, jobs: int | None = None) -> Direct:
    """Build all of the package's dependencies.

    Optimised: they are built once, and shall be quick in a program that is not. For a target that
    is named, because then what build scripts and macros are made of stays apart.
    """
    said = cargo(
        *("build", "--release", "--target", triple(), "--message-format=json-render-diagnostics"),
        *(() if jobs is None else (f"--jobs={jobs}",)),
        RUSTFLAGS=flags,
    )
    graph = json.loads(cargo("metadata", "--format-version=1", "--offline"))["resolve"]
    root = next(node for node in graph["nodes"] if node["id"] == graph["root"])
    names = {dependency["pkg"]: dependency["name"] for dependency in root["deps"]}
    direct = {}
    for message in map(json.loads, said.splitlines()):
        if message["reason"] != "compiler-artifact" or message["package_id"] not in names:
            continue
        # The same package may be there once more, for a build script or a macro.
        for file in (Path(name) for name in message["filenames"]):
            macro = message["target"]["kind"] == ["proc-macro"] and file.suffix == ".so"
            if macro or (file.suffix == ".rlib" and file.parent == searched(BUILT)[0]):
                direct[names[message["package_id"]]] = file
    return direct


def cargo(*argv: str, **env: str) -> str:
    """Run cargo on the package and return what it prints.

    :raises SystemExit: with cargo's code, when it failed
    """
    env = {
        **os.environ,
        **env,
        "CARGO_HOME": str(CARGO_HOME),
        "CARGO_TERM_COLOR": "never",
        "CARGO_TARGET_DIR": str(BUILT),
        # The newest version that this rustc can compile, instead of the newest.
        "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "fallback",
    }
    done = subprocess.run(
        ("cargo", *argv), cwd=WORK, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def triple() -> str:
    """The machine, as rustc calls it."""
    said = subprocess.run(("rustc", "-vV"), stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(line.partition(": ")[2] for line in said.splitlines() if line.startswith("host"))


def searched(target: Path) -> tuple[Path, Path]:
    """Where cargo puts libraries for programs, and those for build scripts and macros."""
    return target / triple() / "release" / "deps", target / "release" / "deps"


def in_image(file: Path) -> Path:
    """Where the image keeps a file that cargo built."""
    return TARGET / file.relative_to(BUILT)


def words(images: Direct, new: Iterable[str]) -> str:
    """The file that rustc is given: a word on each line."""
    return "".join(
        f"{word}\n"
        for word in (
            *(f"-Ldependency={place}" for place in searched(TARGET)),
            *(f"--extern={name}={file}" for name, file in images.items()),
            *(f"--extern={name}" for name in new),
        )
    )


def link_or_copy(source: str, target: str) -> None:
    """Bring a file along; cargo writes to any but the libraries, which are large."""
    if source.endswith((".rlib", ".so")):
        os.symlink(source, target)
    else:
        shutil.copy2(source, target)


def thin_out(target: Path) -> None:
    """Leave away what is there twice or not needed again."""
    for library in target.rglob("*.rlib"):
        library.with_suffix(".rmeta").unlink()
    for script in target.glob("release/build/*/build[-_]script*"):
        with unchanged_times(script):
            script.write_bytes(b"")


def fill_out(target: Path) -> None:
    """Bring back what was left away, to cargo as old as ever."""
    member = WORK / "lib.rmeta"
    for library in target.rglob("*.rlib"):
        with member.open("wb") as file:
            subprocess.run(("ar", "p", library, member.name), stdout=file, check=True)
        metadata = library.with_suffix(".rmeta")
        dumping = ("objcopy", "--dump-section", f".rmeta={metadata}", member, os.devnull)
        subprocess.run(dumping, check=True)
        os.utime(metadata, (0, 0))
    member.unlink()


@contextmanager
def unchanged_times(file: Path) -> Iterator[None]:
    """Let a change of a file go unnoticed by who looks at its times."""
    times = file.stat()
    yield
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


if __name__ == "__main__":
    os.umask(0o022)
    verb, *rest = sys.argv[1:]
    if verb == "prepare":
        prepare(rest)
    else:
        install(Path(rest[0]), rest[1:])
