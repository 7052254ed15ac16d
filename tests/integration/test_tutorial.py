"""docs/tutorial.md, followed to the letter; and what befalls whoever does not."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from soulbox_core import settings
from soulbox_core.images.catalog import Builder
from soulbox_core.images.recipe import REPOSITORY, SETUP
from tests.integration.patience import patient
from tests.integration.tutorial import BLOCKS, PAGE, ROOT, Reader

# An installation, and the first time two images.
pytestmark = pytest.mark.timeout(600)

FENCE = re.compile(r"^```\w+$", re.MULTILINE)
COMMANDS = [block for block in BLOCKS if block.action == "run"]

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "soulbox-faulty"
version = "0.1.0"

[project.entry-points.soulbox]
zz-raises = "soulbox_faulty.raises"
zz-lies = "soulbox_faulty.lies"
zz-takes = "soulbox_faulty.takes"
zz-nothing = "soulbox_faulty.nothing"
"""
RAISES = "raise RuntimeError('no Ruby today')\n"
LIES = """\
from soulbox_core import Image, Language, hookimpl

@hookimpl
def soulbox_register_languages():
    return [
        Language(
            name="liar", title="Liar", image=Image(packages="ruby"), source_file="main.rb",
            run=("ruby", "{entrypoint}"), version=("ruby", "--version"), hello="",
        )
    ]
"""
TAKES = """\
from soulbox_core import Image, Language, hookimpl

@hookimpl
def soulbox_register_languages():
    return [
        Language(
            name=name, title="Thief", image=Image(), source_file="main.sh",
            run=("sh", "{entrypoint}"), version=("sh", "-c", "echo 1"), hello="echo Hello, World!",
        )
        for name in ("mine", "ruby")
    ]
"""
FAULTS = {
    "zz-lies": "language 'liar': packages: expected `array`, got `str`",
    "zz-nothing": "ModuleNotFoundError: No module named 'soulbox_faulty.nothing'",
    "zz-raises": "RuntimeError: no Ruby today",
    "zz-takes": "the name 'ruby' is taken by another language",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """One who has done everything that the page says."""
    with tempfile.TemporaryDirectory(prefix="soulbox-tutorial.") as directory:
        reader = Reader(Path(directory))
        try:
            reader.prepare()
            reader.follow()
            yield reader
        finally:
            reader.close()
            _discard_skeletons()


def test_everything_on_the_page_is_marked_with_what_is_done_with_it() -> None:
    outputs = [block for block in BLOCKS if block.output is not None]
    assert len(FENCE.findall(PAGE.read_text())) == len(BLOCKS) + len(outputs)
    assert {block.action for block in BLOCKS} == {"prepare", "file", "run", "serve"}
    assert all((block.path is not None) == (block.action == "file") for block in BLOCKS)


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_a_command_does_what_the_page_says(reader: Reader, number: int) -> None:
    reached = len(reader.done)
    assert number < reached, "not reached: a command before it failed"
    block, exit_code, stdout, stderr = reader.done[number]
    assert exit_code == 0, f"{block.text}{stdout}{stderr}{reader.said()}"
    assert re.fullmatch(block.pattern, f"{stdout.rstrip()}\n"), stdout + stderr


def _discard_skeletons() -> None:
    """Their images take a second. Those of Ruby and C stay, and spare the next test a minute."""
    store = Builder(settings.load(env=os.environ)).store
    for image in store.list():
        repository, _, digest = image.tag.rpartition(":")
        if repository.startswith(f"{REPOSITORY}/new-"):
            store.remove(image.tag)
            store.remove(f"{SETUP}:{digest}")


class Mixed:
    """A service with many plugins, some of them at fault."""

    def __init__(self, reader: Reader) -> None:
        self.said = reader.service.said() if reader.service else ""
        self.url = reader.url

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, trust_env=False).json()

    def run(self, language: str, code: str) -> Any:
        url = f"{self.url}/v1/run/{language}"
        return httpx.post(url, content=code, timeout=patient(60), trust_env=False).json()


@pytest.fixture(scope="module")
def mixed(reader: Reader) -> Mixed:
    """The service, with Python's plugin, skeletons as they are written, and plugins at fault."""
    reader.write("faulty/pyproject.toml", PROJECT)
    reader.write("faulty/soulbox_faulty/__init__.py", "")
    reader.write("faulty/soulbox_faulty/raises.py", RAISES)
    reader.write("faulty/soulbox_faulty/lies.py", LIES)
    reader.write("faulty/soulbox_faulty/takes.py", TAKES)
    kinds = ("run", "compile", "boot")
    for kind in kinds:
        reader.must("venv/bin/soulbox", "new-plugin", f"new-{kind}", "--kind", kind)
    reader.must(
        *("venv/bin/pip", "install", "--quiet", "--no-deps"),
        *reader.wheels(ROOT / "plugins" / "python", reader.directory / "faulty"),
        *(reader.directory / f"soulbox-new-{kind}" for kind in kinds),
    )
    reader.must("venv/bin/soulbox", "images", "build")
    reader.serve()
    return Mixed(reader)


@pytest.mark.parametrize("plugin", FAULTS)
def test_a_plugin_at_fault_is_told_at_the_start_and_to_whoever_asks(
    mixed: Mixed, plugin: str
) -> None:
    faults = {fault["plugin"]: fault["detail"] for fault in mixed.get("/v1/languages")["faults"]}
    assert faults.keys() == FAULTS.keys(), faults
    assert faults[plugin].startswith(FAULTS[plugin])
    assert f"✗ {plugin}: {FAULTS[plugin]}" in mixed.said


def test_a_plugin_at_fault_takes_down_no_other(mixed: Mixed) -> None:
    languages = mixed.get("/v1/languages")["languages"]
    assert [language["name"] for language in languages] == [
        *("c", "new-boot", "new-compile", "new-run", "python", "ruby"),
    ]
    assert all(language["ready"] for language in languages)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("ruby", 'puts "Hello, World!"'),
        ("c", '#include <stdio.h>\nint main(void) { puts("Hello, World!"); }'),
        ("python", 'print("Hello, World!")'),
        ("new-run", 'echo "Hello, World!"'),
        ("new-compile", 'echo "Hello, World!"'),
        ("new-boot", 'print("Hello, World!")'),
    ],
)
def test_every_other_language_works(mixed: Mixed, language: str, code: str) -> None:
    answer = mixed.run(language, code)
    assert answer["status"] == "ok", answer
    assert answer["stdout"] == "Hello, World!\n"
