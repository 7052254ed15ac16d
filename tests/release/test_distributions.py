"""What is built, from one checkout and from another with the same sources."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from release import distributions
from tests.release.checkout import DISTRIBUTIONS, PLUGINS, ROOT, names
from tests.release.conftest import DATE

CORE = "soulbox_core"
GENERATED = {
    f"{CORE}/rpc/v1/{name}" for name in ("__init__.py", "soulbox_pb2.py", "soulbox_pb2.pyi")
}
FORCED = {f"{CORE}/rpc/soulbox.proto"}


def wheel(built: Path, name: str) -> ZipFile:
    (file,) = built.glob(f"{name}-*.whl")
    return ZipFile(file)


def metadata(built: Path, name: str) -> Message:
    with wheel(built, name) as archive:
        (file,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(file))


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_there_is_a_wheel_and_an_sdist_of_the_core_and_each_plugin(built: Path) -> None:
    assert len(PLUGINS) == 5
    assert sorted(contents(built)) == sorted(
        f"{name}-0.1.0{ending}"
        for name in DISTRIBUTIONS
        for ending in ("-py3-none-any.whl", ".tar.gz")
    )


def test_the_same_sources_make_the_same_bytes(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere, later, by somebody with other habits."""
    elsewhere = tmp_path / "another place"
    for name in reversed(names()):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(ROOT / name, elsewhere / name)
        (elsewhere / name).chmod(0o700 if os.access(ROOT / name, os.X_OK) else 0o600)
    (elsewhere / CORE / "left_over.pyc").write_bytes(b"not ours")
    (elsewhere / "plugins/go/soulbox_go/image/driver/notes").write_bytes(b"not ours")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(DATE))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("PYTHONHASHSEED", "17")
    target = tmp_path / "target"
    target.mkdir()
    old = os.umask(0o077)
    try:
        time.sleep(2)  # the resolution of a date in a zip archive
        distributions.build(elsewhere, reversed(names()), target, distributions.KINDS)
    finally:
        os.umask(old)
    assert contents(target) == contents(built)


def test_other_sources_make_other_bytes(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(DATE + 2))
    distributions.build(ROOT, names(), tmp_path, ("wheel",))
    ours = contents(built)
    assert all(ours[name] != found for name, found in contents(tmp_path).items())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_from_the_sdist_is_the_same(
    built: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(DATE))
    sdist, wheels = tmp_path / "sdist", tmp_path / "wheels"
    sdist.mkdir()
    subprocess.run(["tar", "-C", sdist, "-xf", built / f"{name}-0.1.0.tar.gz"], check=True)
    (unpacked,) = sdist.iterdir()
    files = [str(file.relative_to(unpacked)) for file in unpacked.rglob("*") if file.is_file()]
    wheels.mkdir()
    distributions.build(unpacked, files, wheels, ("wheel",))
    ((found, made),) = contents(wheels).items()
    assert made == contents(built)[found]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_has_the_package_and_nothing_else(built: Path, name: str) -> None:
    project = ROOT if name == CORE else ROOT / "plugins" / name.removeprefix("soulbox_")
    prefix = f"{(project / name).relative_to(ROOT)}/"
    sources = {
        str((ROOT / file).relative_to(project)) for file in names() if file.startswith(prefix)
    }
    if name == CORE:
        sources = {file for file in sources if not file.startswith("soulbox_core/rpc/v1/")}
        sources |= GENERATED | FORCED
    sources = {file for file in sources if "__pycache__" not in file}
    with wheel(built, name) as archive:
        found = {file for file in archive.namelist() if ".dist-info/" not in file}
    assert found == sources
    assert name != CORE or "soulbox_core/py.typed" in found


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_sdist_has_no_tests_and_nothing_that_is_generated(built: Path, name: str) -> None:
    with tarfile.open(built / f"{name}-0.1.0.tar.gz") as archive:
        found = {member.name.partition("/")[2] for member in archive.getmembers()}
    assert {file.partition("/")[0] for file in found} <= {
        *(name, "proto", "hatch_build.py"),
        *("pyproject.toml", "README.md", "PKG-INFO", ".gitignore"),
    }
    assert not found & GENERATED
    assert name != CORE or {"hatch_build.py", "proto/generate.py"} <= found


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_files_in_a_wheel_are_dated_and_open_to_all(built: Path, name: str) -> None:
    date = time.gmtime(DATE)[:6]
    with wheel(built, name) as archive:
        for entry in archive.infolist():
            assert entry.date_time == date, entry
            mode = (entry.external_attr >> 16) & 0o777
            assert mode in (0o644, 0o755), f"{entry.filename}: {mode:o}"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_metadata_says_what_it_is(built: Path, name: str) -> None:
    found = metadata(built, name)
    assert found["Name"] == name.replace("_", "-")
    assert found["Version"] == "0.1.0"
    assert found["Summary"]
    assert found["Requires-Python"] == ">=3.11"
    assert found["Description-Content-Type"] == "text/markdown"
    assert "Operating System :: POSIX :: Linux" in found.get_all("Classifier", [])
    assert str(found.get_payload()).startswith("# "), "the README is the description"
    needed = [Requirement(text) for text in found.get_all("Requires-Dist", [])]
    assert name == CORE or [each.name for each in needed] == ["soulbox-core"]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_entry_points_are_those_of_the_project(built: Path, name: str) -> None:
    with wheel(built, name) as archive:
        (file,) = (each for each in archive.namelist() if each.endswith("entry_points.txt"))
        text = archive.read(file).decode()
    if name == CORE:
        assert text.split() == ["[console_scripts]", "soulbox", "=", "soulbox_core.cli:main"]
    else:
        assert text.split() == ["[soulbox]", name.removeprefix("soulbox_"), "=", name]


def test_generated_code_runs_with_every_protobuf_that_is_allowed(built: Path) -> None:
    """A protobuf that is older than the code refuses to load it."""
    with wheel(built, CORE) as archive:
        code = archive.read(f"{CORE}/rpc/v1/soulbox_pb2.py").decode()
    made_for = re.search(r"^# Protobuf Python Version: (\S+)$", code, re.MULTILINE)
    assert made_for is not None
    needed = {r.name: r for r in map(Requirement, metadata(built, CORE).get_all("Requires-Dist"))}  # type: ignore[arg-type]  # there are some
    least = [each.version for each in needed["protobuf"].specifier if each.operator == ">="]
    assert least
    assert Version(least[0]) >= Version(made_for[1])


def imported() -> Iterator[tuple[str, str]]:
    """Modules of others that the core imports, with the module that does."""
    for module in sorted((ROOT / CORE).rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found = [node.module]
            else:
                continue
            for name in found:
                if name.partition(".")[0] not in {*sys.stdlib_module_names, CORE}:
                    yield name, str(module.relative_to(ROOT))


SHARED = {"google.rpc": "googleapis-common-protos", "google.protobuf": "protobuf"}
"""Modules in a namespace of several distributions."""


def test_what_the_core_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    testing = {
        canonicalize_name(Requirement(text).name)
        for text in project["optional-dependencies"]["testing"]
    }
    known = packages_distributions()
    seen = set()
    for name, module in imported():
        seen.add(name)
        shared = next((SHARED[key] for key in SHARED if name.startswith(key)), None)
        owners = [shared] if shared else known[name.partition(".")[0]]
        allowed = declared | testing if module == f"{CORE}/testing.py" else declared
        assert allowed.intersection(map(canonicalize_name, owners)), f"{module} imports {name}"
    assert {"starlette.requests", "google.rpc", "pytest"} <= seen | {
        name.rpartition(".")[0] for name in seen
    }


def git(checkout: Path, *arguments: str, **env: str) -> str:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    return subprocess.run(
        ["git", "-C", checkout, *identity, *arguments],
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **env},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose last commit is from `DATE`."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    git(checkout, "init", "--quiet")
    for name in (".gitattributes", ".source-date"):
        shutil.copy(ROOT / name, checkout)
    git(checkout, "add", ".")
    date = f"@{DATE} +0900"
    git(checkout, "commit", "--quiet", "--message", "All", GIT_COMMITTER_DATE=date)
    return checkout


def test_sources_are_dated_by_the_last_commit(committed: Path) -> None:
    assert distributions.source_date(committed) == DATE


def test_sources_from_an_archive_are_dated_too(committed: Path, tmp_path: Path) -> None:
    git(committed, "archive", "--prefix=out/", "--output", str(tmp_path / "it.tar"), "HEAD")
    subprocess.run(["tar", "-C", tmp_path, "-xf", tmp_path / "it.tar"], check=True)
    assert distributions.source_date(tmp_path / "out") == DATE


def test_who_builds_can_say_the_date(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12")
    assert distributions.source_date(committed) == 12


def test_sources_without_a_date_always_have_the_same(committed: Path, tmp_path: Path) -> None:
    shutil.copy(committed / ".source-date", tmp_path)
    assert distributions.source_date(tmp_path) == 1580601600
