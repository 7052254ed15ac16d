"""The conformance kit: a plugin author's tests in five lines.

    from soulbox_core.testing import Programs, conformance, registered
    import soulbox_lua

    (LUA,) = registered(soulbox_lua)
    TestLua = conformance(LUA, Programs(echo_stdin="io.write(io.read('a'))"))

The cases run against the service whose address is in SOULBOX_URL, which must offer the language.
Of `Programs` give as many as the language can express: a case without its program is not
collected, so the list of what pytest ran is the list of what was shown.
"""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest

from soulbox_core.language import Language
from soulbox_core.model import Value
from soulbox_core.registry import offers

__all__ = ["Programs", "conformance", "registered"]

_ANSWER_SECONDS = 60.0
_ARGS = ("one", "two words", "'\"$x*", "Grüße")
_UNICODE = "Grüße, 世界 🌍\n"
_LINES = "first\nsecond\n"


class Programs(Value):
    """Programs in the language, each as the text of its source file."""

    echo_stdin: str | None = None
    """Writes to stdout what it reads from stdin."""
    print_args: str | None = None
    """Prints each of its arguments on a line of its own."""
    print_env: str | None = None
    """Prints the value of the environment variable GREETING and a newline."""
    exit_code_3: str | None = None
    """Ends with exit code 3."""
    stderr: str | None = None
    """Writes `oops` and a newline to stderr, and nothing to stdout."""
    unicode: str | None = None
    """Prints `Grüße, 世界 🌍` and a newline, in UTF-8."""
    large_output: str | None = None
    """Writes 1 MiB or more to stdout."""
    sleep_forever: str | None = None
    """Waits without using the CPU."""
    busy_loop: str | None = None
    """Uses the CPU without end."""
    eat_memory: str | None = None
    """Allocates and writes memory without end, past any heap limit of the runtime's own."""


class _Case(Value):
    """What is asked besides the code, and the fields of the answer that must come out."""

    answer: Mapping[str, Any]
    options: Mapping[str, Any] = {}


_HELLO = _Case(
    answer={"status": "ok", "exit_code": 0, "stdout": "Hello, World!\n", "stderr": ""},
)
_CASES: Mapping[str, _Case] = {
    "echo_stdin": _Case(options={"stdin": _LINES}, answer={"status": "ok", "stdout": _LINES}),
    "print_args": _Case(
        options={"args": _ARGS},
        answer={"status": "ok", "stdout": "".join(f"{arg}\n" for arg in _ARGS)},
    ),
    "print_env": _Case(
        options={"env": {"GREETING": "good day"}},
        answer={"status": "ok", "stdout": "good day\n"},
    ),
    "exit_code_3": _Case(answer={"status": "failed", "exit_code": 3, "signal": None}),
    "stderr": _Case(answer={"stdout": "", "stderr": "oops\n"}),
    "unicode": _Case(answer={"status": "ok", "stdout": _UNICODE}),
    "large_output": _Case(
        options={"limits": {"output_bytes": 4096}},
        answer={"status": "output_exceeded", "truncated": ["stdout"]},
    ),
    "sleep_forever": _Case(
        options={"limits": {"wall_seconds": 2.0}}, answer={"status": "wall_time_exceeded"}
    ),
    "busy_loop": _Case(
        options={"limits": {"cpu_seconds": 1.0}}, answer={"status": "cpu_time_exceeded"}
    ),
    "eat_memory": _Case(
        options={"limits": {"memory_bytes": 256 << 20}}, answer={"status": "memory_exceeded"}
    ),
}


def registered(plugin: object) -> tuple[Language, ...]:
    """Return the languages that a plugin's hook registers, checked as at the service's start.

    :param plugin: what the entry point names: the plugin's module, as a rule
    :raises PluginError: it breaks the contract
    """
    return offers(plugin, "plugin under test")


def conformance(language: Language, programs: Programs | None = None) -> type:
    """Return a test class; give it a name that begins with Test.

    :param programs: what can be shown besides hello
    """
    sources = {"hello": language.hello}
    for name, source in msgspec.structs.asdict(programs or Programs()).items():
        if source is not None:
            sources[name] = source

    class Conformance:
        """One language, held against what SoulBox promises of every language."""

        def test_is_listed(self) -> None:
            listed = {entry["name"]: entry for entry in _service("/v1/languages")["languages"]}
            assert language.name in listed
            assert listed[language.name]["aliases"] == list(language.aliases)

        @pytest.mark.parametrize("name", [language.name, *language.aliases])
        def test_runs_under_each_of_its_names(self, name: str) -> None:
            _check(name, language.hello, _HELLO)

        @pytest.mark.parametrize("program", sources)
        def test_program(self, program: str) -> None:
            _check(language.name, sources[program], _CASES.get(program, _HELLO))

    return Conformance


def _check(language: str, source: str, case: _Case) -> None:
    answer = _service(f"/v1/run/{language}", {"code": source, **case.options})
    assert {name: answer[name] for name in case.answer} == case.answer, answer


def _service(path: str, body: Mapping[str, Any] | None = None) -> Any:
    url = os.environ.get("SOULBOX_URL")
    if not url:
        pytest.fail("set SOULBOX_URL to a running service, such as http://127.0.0.1:8000")
    with httpx.Client(base_url=url, timeout=_ANSWER_SECONDS, trust_env=False) as client:
        response = client.get(path) if body is None else client.post(path, json=body)
    assert response.status_code == httpx.codes.OK, response.text
    return response.json()
