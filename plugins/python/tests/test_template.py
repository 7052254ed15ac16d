"""The template's part in finding the packages of a request, in an interpreter of its own."""

import json
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soulbox_python import PYTHON

DRIVER = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("soulbox_template", sys.argv[1])
template = importlib.util.module_from_spec(spec)
spec.loader.exec_module(template)
template.preload(["msgspec"])
sys.forked = True
raise SystemExit(template.run(json.loads(sys.argv[2])))
"""
PROGRAM = """
import json, site, sys
import msgspec
try:
    import own
except ImportError:
    own = None
print(json.dumps({
    "path": sys.path, "own": own and own.__file__, "msgspec": msgspec.__file__,
    "forked": hasattr(sys, "forked"), "site": site.USER_SITE,
}))
"""
USER_SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
IMAGE_SITE = site.getsitepackages()[0]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    directory = tmp_path / "store" / USER_SITE
    directory.mkdir(parents=True)
    return directory


def run(box: Path, dependencies: Path | None) -> dict[str, Any]:
    """What the program says of itself, run by the template in `box`."""
    (box / "main.py").write_text(PROGRAM)
    step = {
        "argv": [sys.executable, "main.py"],
        "entrypoint": "main.py",
        "args": [],
        "env": {"PATH": ""},
        "live": False,
        "dependencies": None if dependencies is None else str(dependencies),
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(PYTHON.template), json.dumps(step)],
        cwd=box,
        stdout=subprocess.PIPE,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_packages_are_found_between_the_library_and_those_of_the_image(
    tmp_path: Path, store: Path
) -> None:
    (store / "own.py").write_text("")
    (store / "own-1.0.dist-info").mkdir()
    (store / "more.pth").write_text("more\n")
    (store / "more").mkdir()
    said = run(tmp_path, tmp_path / "store")
    path = said["path"]
    assert said["own"] == str(store / "own.py")
    assert said["site"] == str(store)
    assert said["forked"]
    assert path[0] == str(tmp_path)
    stdlib = next(n for n, entry in enumerate(path) if entry.endswith("lib-dynload"))
    assert path[stdlib + 1 : stdlib + 3] == [str(store), str(store / "more")]
    assert IMAGE_SITE in path[stdlib + 3 :]


def test_a_preload_in_another_version_needs_an_interpreter_of_its_own(
    tmp_path: Path, store: Path
) -> None:
    (store / "msgspec.py").write_text("")
    said = run(tmp_path, tmp_path / "store")
    assert not said["forked"]


def test_what_the_library_has_stays_its_own(tmp_path: Path, store: Path) -> None:
    (store / "json.py").write_text("raise ImportError")
    assert run(tmp_path, tmp_path / "store")["forked"]


@pytest.mark.parametrize("dependencies", [None, "absent"])
def test_without_packages_nothing_changes(tmp_path: Path, dependencies: str | None) -> None:
    """Or with requirements that the image fulfils already."""
    said = run(tmp_path, None if dependencies is None else tmp_path / dependencies)
    assert said["own"] is None
    assert said["forked"]
    assert not any("absent" in entry for entry in said["path"])
