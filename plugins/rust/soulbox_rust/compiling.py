"""From a request to rustc's command line."""

from soulbox_core import Compile, Option, Source
from soulbox_rust.manifest import Package, crate, package

CRATES_VARIABLE = "SOULBOX_CRATES"
"""Names the directory with the crates that a request asked for, instead of the image's own."""

OPTIMIZE = Option(
    name="optimize",
    description="compile as for release: optimised, without debug assertions and overflow checks",
)
EDITION = Option(
    name="edition",
    description="edition of the language, unless a Cargo.toml names one",
    values=("2024", "2021", "2018", "2015"),
)

_CRATES = (
    f'set -- "@${{{CRATES_VARIABLE}:-/opt/soulbox/rust}}/externs" '
    f'${{{CRATES_VARIABLE}:+"-L${CRATES_VARIABLE}/direct" '
    f'"-Ldependency=${CRATES_VARIABLE}/deps"}} "$@"; '
)
_PROGRAM = f'{_CRATES}exec rustc "$@"'
_LIBRARY_AND_PROGRAM = (
    "library=$1 path=$2 program=$3 main=$4; shift 4; "
    f"{_CRATES}"
    'rustc "$@" --crate-type=rlib "--crate-name=$library" --out-dir=/tmp/library "$path" && '
    'exec rustc "$@" "--extern=$library=/tmp/library/lib$library.rlib" '
    '--crate-type=bin "--crate-name=$program" -o "{out}/main" "$main"'
)
"""A shell, because only it can tell whether the variable is there. It takes less than 1 ms."""

_FLAGS = (
    # mold, and a standard library that is linked already; see image/link.rs.
    *("-Clinker=soulbox-link", "-Clinker-flavor=ld"),
    # That of the standard library and the crates, in case it has to be linked; the names of
    # functions stay, for backtraces.
    "-Cstrip=debuginfo",
)
_QUICK = (
    # As many as two cores keep busy; each unit of code has its price.
    "-Ccodegen-units=4",
)
_OPTIMIZED = ("-Copt-level=3",)


def compiling(source: Source) -> Compile:
    """The compile step of a request: rustc, and before that for the package's library, if any."""
    ours = package(source.files, source.entrypoint)
    flags = (
        *_FLAGS,
        *(_OPTIMIZED if source.options[OPTIMIZE.name] == "true" else _QUICK),
        f"--edition={ours.edition(source.options[EDITION.name], EDITION.values)}",
    )
    program = crate(ours.name)
    library, path = ours.library
    words: tuple[str, ...]
    if path != source.entrypoint and any(file.path == path for file in source.files):
        words = (_LIBRARY_AND_PROGRAM, "rustc", library, path, program, "{entrypoint}", *flags)
    else:
        target = ("--crate-type=bin", f"--crate-name={program}", "-o", "{out}/main")
        words = (_PROGRAM, "rustc", *flags, *target, "{entrypoint}")
    return Compile(argv=("/bin/sh", "-c", *words), env=_variables(ours))


def _variables(ours: Package) -> dict[str, str]:
    """Of those that cargo sets, what macros of common crates ask for."""
    return {
        "CARGO_MANIFEST_DIR": str("/box" / ours.directory),
        "CARGO_PKG_NAME": ours.name,
        "CARGO_PKG_VERSION": ours.version,
        "CARGO_PKG_AUTHORS": "",
        "CARGO_PKG_DESCRIPTION": "",
    }
