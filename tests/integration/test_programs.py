"""The programs of tests/programs: what people and agents have run, with what must come out.

`tests/programs/LANGUAGE/NAME.EXT` is a program, or the directory `NAME/` if it has several files.
Beside it are `NAME.out`, which is exactly what it writes to stdout, and where they are needed
`NAME.in`, its stdin, and `NAME.json`, which holds more fields of the request and more of the
answer, see `Settings`.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pytest

from soulbox_core.model import Value
from tests.integration.service import Service

DIRECTORY = Path(__file__).parents[1] / "programs"
FIRST_PARTY = ("go", "java", "javascript", "python", "rust", "typescript")
LEAST = 20
"""Programs of each of our own languages."""
_BESIDE = (".out", ".in", ".json")


class FileExpectation(Value, forbid_unknown_fields=True):
    """What must be true of a file that the program leaves."""

    text: str | None = None
    starts_with_base64: str | None = None
    bytes_min: int = 0

    def check(self, answered: Mapping[str, Any]) -> None:
        encoded = answered["encoding"] == "base64"
        text: str = answered["content"]
        content = b64decode(text) if encoded else text.encode()
        assert len(content) == answered["size_bytes"] >= self.bytes_min
        assert self.text is None or content == self.text.encode()
        assert content.startswith(b64decode(self.starts_with_base64 or ""))


class Settings(Value, forbid_unknown_fields=True):
    """A program's .json file."""

    request: Mapping[str, Any] = {}
    """Fields of the request, such as args, env, limits, options, outputs or entrypoint."""
    expect: Mapping[str, Any] = {}
    """Fields of the answer that must be equal; `output_files` has a `FileExpectation` by path."""


class Program(Value):
    """A program and what belongs to it."""

    language: str
    name: str
    source: Path
    """A file, or a directory of files."""

    def beside(self, suffix: str) -> Path:
        return DIRECTORY / self.language / f"{self.name}{suffix}"

    @property
    def settings(self) -> Settings:
        path = self.beside(".json")
        return msgspec.json.decode(path.read_bytes() if path.exists() else b"{}", type=Settings)

    def request(self, source_file: str) -> dict[str, Any]:
        """The body to send.

        :param source_file: what the language calls a source without a name
        """
        stdin = self.beside(".in")
        body: dict[str, Any] = {"stdin": _content(stdin)} if stdin.exists() else {}
        if self.source.is_dir():
            files = (path for path in sorted(self.source.rglob("*")) if path.is_file())
            body["files"] = {
                path.relative_to(self.source).as_posix(): _content(path) for path in files
            }
            body["entrypoint"] = source_file
        else:
            body["code"] = _content(self.source)
            if self.source.suffix != PurePosixPath(source_file).suffix:
                body["entrypoint"] = f"main{self.source.suffix}"
        return {**body, **self.settings.request}


def _content(path: Path) -> str | dict[str, str]:
    content = path.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _programs() -> list[Program]:
    return [
        Program(language=directory.name, name=path.name.partition(".")[0], source=path)
        for directory in sorted(DIRECTORY.iterdir())
        for path in sorted(directory.iterdir())
        if path.is_dir() or path.suffix not in _BESIDE
    ]


PROGRAMS = _programs()


@pytest.mark.parametrize(
    "program", PROGRAMS, ids=lambda program: f"{program.language}/{program.name}"
)
def test_program(service: Service, program: Program) -> None:
    listed = service.client.get("/v1/languages").json()["languages"]
    source_files = {language["name"]: language["source_file"] for language in listed}
    assert program.language in source_files, f"no such language is offered\n{service.said()}"
    body = program.request(source_files[program.language])
    response = service.client.post(f"/v1/run/{program.language}", json=body)
    assert response.status_code == 200, response.text
    answer = response.json()
    expect = {"status": "ok", **program.settings.expect}
    files = msgspec.convert(expect.pop("output_files", {}), dict[str, FileExpectation])
    assert {name: answer[name] for name in expect} == expect, answer
    assert answer["stdout"] == program.beside(".out").read_bytes().decode(), answer["stderr"]
    answered = {file["path"]: file for file in answer["files"]}
    for path, expectation in files.items():
        assert path in answered, answer
        expectation.check(answered[path])


@pytest.mark.parametrize("language", FIRST_PARTY)
def test_each_of_our_languages_has_many_programs(language: str) -> None:
    assert sum(program.language == language for program in PROGRAMS) >= LEAST


def test_every_program_has_one_source_and_every_file_a_program() -> None:
    sources = Counter((program.language, program.name) for program in PROGRAMS)
    files = [path for path in DIRECTORY.glob("*/*") if path.is_file() and path.suffix in _BESIDE]
    named = {(path.parent.name, path.name.partition(".")[0]) for path in files}
    assert set(sources.values()) == {1}
    assert named == set(sources)
    assert not [program for program in PROGRAMS if not program.beside(".out").is_file()]
