"""The conformance kit, against a service that answers what it is told to."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import msgspec
import pytest

from soulbox_core import Boot, Compile, Language, Option, hookimpl
from soulbox_core.errors import PluginError
from soulbox_core.testing import Programs, conformance, registered
from tests.samples import language

pytest_plugins = ["pytester"]

NAMES = Programs.__struct_fields__
LUA = language(aliases=("l",), hello="hello")
COMPILED = language(
    aliases=("l",),
    hello="hello",
    compile=Compile(argv=("luac", "{entrypoint}")),
    options=(Option(name="strip", description="Leave debug information out."),),
)
ALL = Programs(**{name: name for name in NAMES})

Answers = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]


def good_answers() -> Answers:
    """What a language does that keeps every promise; the programs are their names."""
    return {
        "hello": lambda asked: {"stdout": "Hello, World!\n"},
        "echo_stdin": lambda asked: {"stdout": asked["stdin"]},
        "print_args": lambda asked: {"stdout": "".join(f"{arg}\n" for arg in asked["args"])},
        "print_env": lambda asked: {"stdout": f"{asked['env']['GREETING']}\n"},
        "exit_code_3": lambda asked: {"status": "failed", "exit_code": 3},
        "stderr": lambda asked: {"stderr": "oops\n"},
        "unicode": lambda asked: {"stdout": "Grüße, 世界 🌍\n"},
        "compile_error": lambda asked: {
            "status": "failed",
            "exit_code": 1,
            "stderr": "main.lua:1: syntax error\n",
        },
        "runtime_error": lambda asked: {
            "status": "failed",
            "exit_code": 1,
            "stderr": "main.lua:1: attempt to call a nil value\n",
        },
        "large_output": lambda asked: {
            "status": "output_exceeded",
            "stdout": "x" * asked["limits"]["output_bytes"],
            "truncated": ["stdout"],
        },
        "sleep_forever": lambda asked: {"status": "wall_time_exceeded"},
        "busy_loop": lambda asked: {"status": "cpu_time_exceeded"},
        "eat_memory": lambda asked: {"status": "memory_exceeded"},
        "many_processes": lambda asked: {"status": "process_limit"},
        "big_file": lambda asked: {"status": "file_size_exceeded", "signal": "SIGXFSZ"},
        "fill_scratch": lambda asked: {"status": "scratch_exceeded"},
    }


class Service(ThreadingHTTPServer):
    """Answers like SoulBox, as far as the kit asks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = good_answers()
        self.listed: dict[str, Any] = {
            "name": "lua",
            "aliases": ["l"],
            "version": "Lua 5.4",
            "compiled": False,
            "options": [],
        }
        self.artifacts: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def offer(self, language: Language) -> None:
        """Be a service that has this language."""
        self.listed |= {
            "aliases": list(language.aliases),
            "compiled": language.compile is not None,
            "options": json.loads(msgspec.json.encode(language.options)),
        }

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        usual = {
            "status": "ok",
            "exit_code": 0,
            "signal": None,
            "stdout": "",
            "stderr": "",
            "truncated": [],
            "compile": None,
            "timings": {"compile_seconds": None},
        }
        program = asked["code"] if "code" in asked else asked["files"]["main.lua"]
        if self.listed["compiled"]:
            usual |= self._compiled(json.dumps(asked.get("files", program)))
        return usual | self.answers[program](asked)

    def _compiled(self, key: str) -> dict[str, Any]:
        cached = key in self.artifacts
        self.artifacts.add(key)
        return {
            "compile": {"cached": cached, "output": ""},
            "timings": {"compile_seconds": 0.0 if cached else 0.5},
        }


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._answer(200, {"languages": [self.server.listed]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.removeprefix("/v1/run/") not in ("lua", *self.server.listed["aliases"]):
            self._answer(404, {"code": "unknown_language"})
            return
        self._answer(200, self.server.answer(asked))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("SOULBOX_URL", server.url)
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("program", ["hello", *NAMES])
def test_a_case_passes_when_the_promise_is_kept_and_fails_when_not(
    service: Service, program: str
) -> None:
    kit = conformance(LUA, ALL)()
    kit.test_program(program)
    service.answers[program] = lambda asked: {"status": "signaled", "stdout": "wrong"}
    with pytest.raises(AssertionError):
        kit.test_program(program)


@pytest.mark.parametrize("fault", ["aliases", "version", "compiled", "options"])
def test_a_language_that_is_listed_as_something_else_fails(service: Service, fault: str) -> None:
    service.offer(COMPILED)
    kit = conformance(COMPILED)()
    kit.test_is_listed()
    service.listed[fault] = type(service.listed[fault])()
    with pytest.raises(AssertionError):
        kit.test_is_listed()


def test_a_language_that_is_not_listed_or_lacks_an_alias_fails(service: Service) -> None:
    with pytest.raises(AssertionError):
        conformance(language(name="tcl"))().test_is_listed()
    service.listed["aliases"] = []
    with pytest.raises(AssertionError, match="unknown_language"):
        conformance(LUA)().test_runs_under_each_of_its_names("l")


@pytest.mark.parametrize(
    ("compiled", "answer", "passes"),
    [
        (False, {"status": "failed", "stderr": "main.lua:1: no"}, True),
        (False, {"status": "failed", "stderr": "no"}, False),
        (False, {"status": "ok", "stderr": "main.lua:1: no"}, False),
        (True, {"status": "compile_failed", "stderr": "main.lua:1: no"}, True),
        (True, {"status": "compile_failed", "stderr": "no"}, False),
        (True, {"status": "failed", "stderr": "main.lua:1: no"}, False),
        (True, {"status": "compile_failed", "stderr": "main.lua:1: no", "stdout": "ran"}, False),
    ],
)
def test_a_program_that_does_not_compile_is_told_by_its_file(
    service: Service, compiled: bool, answer: dict[str, Any], passes: bool
) -> None:
    """By the compiler where there is one, by the runtime where the request needs none."""
    step = {"compile": {"cached": False, "output": answer["stderr"]}} if compiled else {}
    service.answers["compile_error"] = lambda asked: {**answer, **step}
    kit = conformance(COMPILED, ALL)()
    if passes:
        kit.test_program("compile_error")
    else:
        with pytest.raises(AssertionError):
            kit.test_program("compile_error")


@pytest.mark.parametrize(
    ("compiled", "stderr", "passes"),
    [
        (False, "main.lua:1: no", True),
        (False, "no", False),
        (True, "panic", True),
        (True, "", False),
    ],
)
def test_an_error_is_told_by_its_file_unless_there_is_only_a_binary(
    service: Service, compiled: bool, stderr: str, passes: bool
) -> None:
    step = {"cached": True, "output": ""} if compiled else None
    service.answers["runtime_error"] = lambda asked: {
        "status": "signaled",
        "stderr": stderr,
        "compile": step,
    }
    kit = conformance(COMPILED, ALL)()
    if passes:
        kit.test_program("runtime_error")
    else:
        with pytest.raises(AssertionError):
            kit.test_program("runtime_error")


def parameters(test: Any) -> dict[Any, list[Any]]:
    return {mark.args[0]: list(mark.args[1]) for mark in test.pytestmark}


def test_ways_to_a_cell_are_those_that_the_language_has() -> None:
    def ways(**changes: Any) -> list[str]:
        kit: Any = conformance(language(**changes))
        return parameters(kit.test_program_by_another_way)["way"]

    boot = Boot(argv=("lua", "boot"), cold_limits=("memory_bytes",))
    assert ways() == ["made to order"]
    assert ways(cold_env=("LUA_INIT", "LUA_PATH")) == ["made to order", "cold for LUA_INIT"]
    assert ways(boot=boot, cold_env=("*",)) == [
        "made to order",
        "cold for SOULBOX_COLD",
        "cold for memory_bytes",
    ]


def test_another_way_is_asked_for_and_must_lead_to_the_same(service: Service) -> None:
    kit = conformance(language(hello="hello", cold_env=("LUA_INIT",)), ALL)()
    kit.test_program_by_another_way("print_env", "cold for LUA_INIT")
    assert [asked["env"] for asked in service.asked] == [
        {"GREETING": "good day"},
        {"GREETING": "good day", "LUA_INIT": ""},
    ]
    kit.test_program_by_another_way("runtime_error", "made to order")
    assert "limits" not in service.asked[-2]
    assert service.asked[-1]["limits"]["scratch_bytes"] > 0
    service.answers["runtime_error"] = lambda asked: {
        "status": "failed",
        "stderr": "main.lua:1: no",
        "exit_code": 2 if "limits" in asked else 1,
    }
    with pytest.raises(AssertionError):
        kit.test_program_by_another_way("runtime_error", "made to order")


def test_the_second_time_comes_from_the_cache(service: Service) -> None:
    kit = conformance(COMPILED)()
    kit.test_what_was_compiled_is_not_compiled_again()  # by a service that compiles nothing
    service.offer(COMPILED)
    kit.test_what_was_compiled_is_not_compiled_again()
    kit.test_what_was_compiled_is_not_compiled_again()
    first, _, third, _ = (asked["files"] for asked in service.asked[-4:])
    assert first != third


@pytest.mark.parametrize(
    "fault",
    [
        {"compile": {"cached": False, "output": ""}},
        {"compile": {"cached": True, "output": ""}},
        {"timings": {"compile_seconds": None}},
    ],
)
def test_a_cache_that_does_not_keep_its_promise_fails(
    service: Service, fault: dict[str, Any]
) -> None:
    service.offer(COMPILED)
    service.answers["hello"] = lambda asked: {"stdout": "Hello, World!\n", **fault}
    with pytest.raises(AssertionError):
        conformance(COMPILED)().test_what_was_compiled_is_not_compiled_again()


def test_what_compiles_and_is_not_said_to_fails(service: Service) -> None:
    service.offer(COMPILED)
    with pytest.raises(AssertionError):
        conformance(LUA)().test_what_was_compiled_is_not_compiled_again()


def test_hello_runs_with_each_value_of_an_option(service: Service) -> None:
    kit = conformance(COMPILED)()
    assert parameters(kit.test_runs_with_each_option) == {
        ("option", "value"): [("strip", "false"), ("strip", "true")]
    }
    kit.test_runs_with_each_option("strip", "true")
    assert service.asked[-1]["options"] == {"strip": "true"}
    assert not hasattr(conformance(LUA), "test_runs_with_each_option")


def test_five_lines_are_enough_and_what_is_not_shown_is_not_collected(
    service: Service, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        from soulbox_core.testing import Programs, conformance
        from tests.samples import language

        TestLua = conformance(language(hello="hello"), Programs(stderr="stderr"))
        """
    )
    service.listed["aliases"] = []
    result = pytester.runpytest("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(
        [
            "*test_is_listed*",
            "*each_of_its_names?lua*",
            "*test_program?hello*",
            "*test_program?stderr*",
            "*another_way?hello-made to order*",
            "*another_way?stderr-made to order*",
            "*not_compiled_again*",
        ]
    )


def test_without_an_address_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOULBOX_URL", raising=False)
    with pytest.raises(pytest.fail.Exception, match="set SOULBOX_URL"):
        conformance(LUA)().test_is_listed()


def test_registered_are_the_languages_of_the_plugin_s_hook() -> None:
    plugin = ModuleType("soulbox_lua")

    @hookimpl
    def soulbox_register_languages() -> list[Language]:
        return [LUA]

    plugin.soulbox_register_languages = soulbox_register_languages  # type: ignore[attr-defined]
    assert registered(plugin) == (LUA,)
    with pytest.raises(PluginError):
        registered(ModuleType("empty"))


def test_every_program_has_a_case() -> None:
    kit: Any = conformance(LUA, ALL)
    assert set(parameters(kit.test_program)["program"]) == {"hello", *NAMES}
    assert set(good_answers()) == {"hello", *msgspec.structs.asdict(ALL)}
