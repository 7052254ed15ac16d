"""The conformance kit, against a service that answers what it is told to."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import msgspec
import pytest

from soulbox_core import Language, hookimpl
from soulbox_core.errors import PluginError
from soulbox_core.testing import Programs, conformance, registered
from tests.samples import language

pytest_plugins = ["pytester"]

NAMES = Programs.__struct_fields__
LUA = language(aliases=("l",), hello="hello")
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
        "large_output": lambda asked: {
            "status": "output_exceeded",
            "stdout": "x" * asked["limits"]["output_bytes"],
            "truncated": ["stdout"],
        },
        "sleep_forever": lambda asked: {"status": "wall_time_exceeded"},
        "busy_loop": lambda asked: {"status": "cpu_time_exceeded"},
        "eat_memory": lambda asked: {"status": "memory_exceeded"},
    }


class Service(ThreadingHTTPServer):
    """Answers like SoulBox, as far as the kit asks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = good_answers()
        self.aliases = ["l"]
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._answer(200, {"languages": [{"name": "lua", "aliases": self.server.aliases}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.removeprefix("/v1/run/") not in ("lua", *self.server.aliases):
            self._answer(404, {"code": "unknown_language"})
            return
        usual = {"status": "ok", "exit_code": 0, "signal": None, "stdout": "", "stderr": ""}
        self._answer(200, usual | {"truncated": []} | self.server.answers[asked["code"]](asked))

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


def test_a_language_that_is_not_listed_or_lacks_an_alias_fails(service: Service) -> None:
    conformance(LUA)().test_is_listed()
    with pytest.raises(AssertionError):
        conformance(language(name="tcl"))().test_is_listed()
    service.aliases = []
    with pytest.raises(AssertionError):
        conformance(LUA)().test_is_listed()
    with pytest.raises(AssertionError, match="unknown_language"):
        conformance(LUA)().test_runs_under_each_of_its_names("l")


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
    service.aliases = []
    result = pytester.runpytest("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["*test_is_listed*", "*each_of_its_names?lua*", "*test_program?hello*", "*?stderr*"]
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
    (parameters,) = conformance(LUA, ALL).test_program.pytestmark  # type: ignore[attr-defined]
    assert set(parameters.args[1]) == {"hello", *NAMES}
    assert set(good_answers()) == {"hello", *msgspec.structs.asdict(ALL)}
