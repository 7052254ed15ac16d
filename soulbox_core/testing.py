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
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from soulbox_core.language import Language
from soulbox_core.model import Limits, Value
from soulbox_core.registry import offers

__all__ = ["Programs", "conformance", "registered"]

_ANSWER_SECONDS = 120.0
_MIB = 1 << 20
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
    compile_error: str | None = None
    """Is no program of the language; a language without a compiler finds out when it starts."""
    runtime_error: str | None = None
    """Ends by an error that it does not handle."""
    large_output: str | None = None
    """Writes 1 MiB or more to stdout."""
    sleep_forever: str | None = None
    """Waits without using the CPU."""
    busy_loop: str | None = None
    """Uses the CPU without end."""
    eat_memory: str | None = None
    """Allocates and writes memory without end, past any heap limit of the runtime's own."""
    many_processes: str | None = None
    """Starts processes or threads that stay, until it cannot, and fails then."""
    big_file: str | None = None
    """Writes one file in its working directory without end, and fails if it cannot."""
    fill_scratch: str | None = None
    """Writes files of 1 MiB in its working directory, until it cannot, and fails then."""


class _Case(Value):
    """What is asked besides the code, and what must come out."""

    answer: Mapping[str, Any] = {}
    """Fields of the answer; a frozenset holds the values that will do."""
    options: Mapping[str, Any] = {}
    check: Callable[[Language, Mapping[str, Any]], None] | None = None
    """Looks at what no single field tells."""


def _is_not_compiled(language: Language, answer: Mapping[str, Any]) -> None:
    compiled = answer["compile"] is not None
    assert language.compile is not None or not compiled, answer
    assert answer["status"] == ("compile_failed" if compiled else "failed"), answer
    assert language.source_file in answer["stderr"], answer
    assert not compiled or answer["compile"] == {"cached": False, "output": answer["stderr"]}


def _tells_its_error(language: Language, answer: Mapping[str, Any]) -> None:
    assert answer["stderr"], answer
    assert answer["compile"] is not None or language.source_file in answer["stderr"], answer


_HELLO = _Case(
    answer={"status": "ok", "exit_code": 0, "stdout": "Hello, World!\n", "stderr": ""},
)
_CASES: Mapping[str, _Case] = {
    "hello": _HELLO,
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
    "stderr": _Case(answer={"status": "ok", "stdout": "", "stderr": "oops\n"}),
    "unicode": _Case(answer={"status": "ok", "stdout": _UNICODE}),
    "compile_error": _Case(answer={"stdout": ""}, check=_is_not_compiled),
    "runtime_error": _Case(
        answer={"status": frozenset({"failed", "signaled"})}, check=_tells_its_error
    ),
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
        options={"limits": {"memory_bytes": 256 * _MIB}}, answer={"status": "memory_exceeded"}
    ),
    "many_processes": _Case(
        options={"limits": {"processes": 64}}, answer={"status": "process_limit"}
    ),
    "big_file": _Case(
        options={"limits": {"file_size_bytes": _MIB}},
        # The kernel's signal ends the program, unless its runtime makes an error of it.
        answer={"status": frozenset({"file_size_exceeded", "failed"})},
    ),
    "fill_scratch": _Case(
        options={"limits": {"scratch_bytes": 32 * _MIB}}, answer={"status": "scratch_exceeded"}
    ),
}
_EVERYWHERE = tuple(name for name, case in _CASES.items() if "limits" not in case.options)
"""Programs that are to do the same by every way to a cell."""
_THE_SAME = ("status", "exit_code", "signal", "stdout")


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
    everywhere = [name for name in _EVERYWHERE if name in sources]
    ways = dict(_ways(language))
    choices = [(option.name, value) for option in language.options for value in option.values]

    class Conformance:
        """One language, held against what SoulBox promises of every language."""

        def test_is_listed(self) -> None:
            listed = {entry["name"]: entry for entry in _service("/v1/languages")["languages"]}
            assert language.name in listed
            entry = listed[language.name]
            assert entry["aliases"] == list(language.aliases)
            assert entry["version"]
            assert entry["compiled"] == (language.compile is not None)
            options = [(option["name"], tuple(option["values"])) for option in entry["options"]]
            assert options == [(option.name, option.values) for option in language.options]

        @pytest.mark.parametrize("name", [language.name, *language.aliases])
        def test_runs_under_each_of_its_names(self, name: str) -> None:
            _check(_run(name, language.hello), _HELLO, language)

        @pytest.mark.parametrize("program", sources)
        def test_program(self, program: str) -> None:
            case = _CASES[program]
            _check(_run(language.name, sources[program], case.options), case, language)

        @pytest.mark.parametrize("way", ways)
        @pytest.mark.parametrize("program", everywhere)
        def test_program_by_another_way(self, program: str, way: str) -> None:
            case, source = _CASES[program], sources[program]
            parked = _run(language.name, source, case.options)
            other = _run(language.name, source, _merged(case.options, ways[way]))
            _check(other, case, language)
            for field in _THE_SAME:
                assert other[field] == parked[field], (other, parked)

        def test_what_was_compiled_is_not_compiled_again(self) -> None:
            # All files count for the cache, so this one makes hello a program never seen before.
            files = {language.source_file: language.hello, "salt.txt": uuid.uuid4().hex}
            body = {"files": files, "entrypoint": language.source_file}
            cached = []
            for answer in (_service(f"/v1/run/{language.name}", body) for _ in range(2)):
                _check(answer, _HELLO, language)
                step, seconds = answer["compile"], answer["timings"]["compile_seconds"]
                assert (step is None) == (seconds is None), answer
                assert step is None or language.compile is not None, answer
                cached.append(None if step is None else step["cached"])
            assert cached in ([False, True], [None, None])

    if not choices:
        return Conformance

    class ConformanceWithOptions(Conformance):
        @pytest.mark.parametrize(("option", "value"), choices)
        def test_runs_with_each_option(self, option: str, value: str) -> None:
            options = {"options": {option: value}}
            _check(_run(language.name, language.hello, options), _HELLO, language)

    return ConformanceWithOptions


def _ways(language: Language) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What to ask for so that a run gets no parked cell, or a runtime started for it alone."""
    yield "made to order", {"limits": {"scratch_bytes": Limits().scratch_bytes + _MIB}}
    if language.cold_env:
        variable = language.cold_env[0].replace("*", "SOULBOX_COLD")
        yield f"cold for {variable}", {"env": {variable: ""}}
    for name in () if language.boot is None else language.boot.cold_limits:
        yield f"cold for {name}", {"limits": {name: getattr(Limits(), name) * 2}}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a run, tables among them merged."""
    return {**one, **{name: {**one.get(name, {}), **table} for name, table in other.items()}}


def _check(answer: Mapping[str, Any], case: _Case, language: Language) -> None:
    for name, wanted in case.answer.items():
        will_do = wanted if isinstance(wanted, frozenset) else (wanted,)
        assert answer[name] in will_do, answer
    if case.check is not None:
        case.check(language, answer)


def _run(language: str, source: str, options: Mapping[str, Any] | None = None) -> Any:
    return _service(f"/v1/run/{language}", {"code": source, **(options or {})})


def _service(path: str, body: Mapping[str, Any] | None = None) -> Any:
    url = os.environ.get("SOULBOX_URL")
    if not url:
        pytest.fail("set SOULBOX_URL to a running service, such as http://127.0.0.1:8000")
    with httpx.Client(base_url=url, timeout=_ANSWER_SECONDS, trust_env=False) as client:
        response = client.get(path) if body is None else client.post(path, json=body)
    assert response.status_code == httpx.codes.OK, response.text
    return response.json()
