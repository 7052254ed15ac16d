from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from soulbox_core import Boot, Compile, Dependencies, Language, Option, Source
from soulbox_core.egress.hosts import Way, host_patterns
from soulbox_core.errors import InvalidRequest, LanguageError
from soulbox_core.execution.plan import install_plan, plan, version_plan
from soulbox_core.language import CERTIFICATES
from soulbox_core.model import Limits, RunRequest, SourceFile, Step
from soulbox_core.sandbox.port import Kind
from tests.samples import SOURCE, allowance, key, language, request

LIMITS = Limits()
WAY = Way(named=frozenset({("registry.test", 443)}))
PROXY = "http://127.0.0.1:3128"


def test_entrypoint_is_put_in_and_args_come_last() -> None:
    step = plan(request(args=("a", "{entrypoint}")), language(), allowance(LIMITS), key).step
    assert step.argv == ("lua", "main.lua", "a", "{entrypoint}")
    assert step.args == ("a", "{entrypoint}")
    assert step.entrypoint == "main.lua"


def test_entrypoint_may_be_a_part_of_a_word() -> None:
    step = plan(request(), language(run=("sh", "--file={entrypoint}")), allowance(LIMITS), key).step
    assert step.argv == ("sh", "--file=main.lua")


def test_entrypoint_cannot_pass_for_an_option() -> None:
    asked = request(files=(SourceFile(path="-e", content=b""),), entrypoint="-e")
    assert plan(asked, language(), allowance(LIMITS), key).step.argv == ("lua", "./-e")


def test_request_env_wins_over_language_env_wins_over_base_env() -> None:
    asked = request(env={"BOTH": "request", "HOME": "/tmp"})
    step = plan(
        asked, language(env={"BOTH": "language", "LANG": "C", "ONE": "1"}), allowance(LIMITS), key
    ).step
    assert step.env == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "LANG": "C",
        "USER": "soulbox",
        "LOGNAME": "soulbox",
        "BOTH": "request",
        "ONE": "1",
    }


def test_what_was_asked_goes_into_the_step() -> None:
    asked = request(stdin=b"in", outputs=("*.png",))
    step = plan(asked, language(), allowance(LIMITS), key, live=True).step
    assert (step.stdin, step.outputs, step.files) == (b"in", ("*.png",), asked.files)
    assert step.limits is LIMITS
    assert step.live


@pytest.mark.parametrize(
    ("template", "env", "cold"),
    [
        (None, {}, True),
        (Path("t.py"), {}, False),
        (Path("t.py"), {"OTHER": "1"}, False),
        (Path("t.py"), {"SEED": "1"}, True),
        (Path("t.py"), {"SEED": ""}, True),
    ],
)
def test_starts_cold_when_no_template_can_honour_it(
    template: Path | None, env: dict[str, str], cold: bool
) -> None:
    offered = language(template=template, cold_env=("SEED",))
    assert plan(request(env=env), offered, allowance(LIMITS), key).kind.cold is cold


def test_alias_is_resolved_to_the_language() -> None:
    assert (
        plan(request(language="l"), language(aliases=("l",)), allowance(LIMITS), key).language
        == "lua"
    )


def test_files_that_do_not_fit_in_scratch_are_refused_before_they_are_sent() -> None:
    files = tuple(SourceFile(path=str(number), content=b"x") for number in range(3))
    asked = request(files=files, entrypoint="0")
    plan(asked, language(), allowance(Limits(scratch_bytes=3 * 4096)), key)
    with pytest.raises(InvalidRequest, match="the files take 12288 bytes") as refusal:
        plan(asked, language(), allowance(Limits(scratch_bytes=3 * 4096 - 1)), key)
    assert refusal.value.field == "limits.scratch_bytes"


def test_version_is_asked_cold_and_without_files() -> None:
    asked = version_plan(language(env={"ONE": "1"}), LIMITS)
    assert asked.kind.cold
    assert asked.step.argv == ("lua", "-v")
    assert asked.step.files == ()
    assert asked.step.env["ONE"] == "1"
    assert asked.step.env["HOME"] == "/box"


def test_a_cold_live_run_gets_the_variables_that_unbuffer_it() -> None:
    lua = language(live_env={"UNBUFFERED": "1"})
    assert plan(request(), lua, allowance(LIMITS), key, live=True).step.env["UNBUFFERED"] == "1"
    assert "UNBUFFERED" not in plan(request(), lua, allowance(LIMITS), key).step.env


CC = Compile(argv=("cc", "-o", "{out}/main", "{entrypoint}"))


def compiled(**changes: Any) -> Language:
    return language(**({"compile": CC, "run": ("{artifact}/main", "{entrypoint}")} | changes))


def compiling(asked: RunRequest, offered: Language) -> Step:
    made = plan(asked, offered, allowance(), key).compiling
    assert made is not None
    return made.step


def test_a_compile_step_comes_before_the_run_and_its_artifact_is_found_in_the_store() -> None:
    asked = request(args=("a",), env={"A": "1"}, stdin=b"in", outputs=("x",))
    made = plan(asked, compiled(), allowance(), key)
    assert made.compiling is not None
    step = made.compiling.step
    assert made.compiling.key == key("lua", made.compiling.kind, step)
    assert step.argv == ("cc", "-o", "/tmp/out/main", "main.lua")
    assert (step.out, step.artifact, step.into) == ("/tmp/out", None, None)
    assert (step.stdin, step.args, step.outputs) == (b"", (), ())
    assert step.limits == allowance().compile
    assert made.step.argv == (f"/store/{made.compiling.key}/main", "main.lua", "a")
    assert made.step.artifact == f"/store/{made.compiling.key}"
    assert made.step.out is None
    assert made.step.limits == allowance().run


def test_a_caller_s_variables_are_for_the_run_alone() -> None:
    asked = request(env={"LANG": "C", "SECRET": "1"})
    step = compiling(asked, compiled(env={"BOTH": "1"}))
    assert step.env["BOTH"] == "1"
    assert step.env["LANG"] == "C.UTF-8"
    assert "SECRET" not in step.env


def test_a_compile_step_s_own_variables_and_files_are_added() -> None:
    own = (SourceFile(path="go.mod", content=b"ours"), SourceFile(path="extra", content=b""))
    step = compiling(
        request(files=(SOURCE, SourceFile(path="go.mod", content=b"theirs"))),
        compiled(compile=Compile(argv=("cc",), env={"OUT": "{out}:{entrypoint}"}, files=own)),
    )
    assert step.env["OUT"] == "/tmp/out:main.lua"
    assert {file.path: file.content for file in step.files} == {
        SOURCE.path: SOURCE.content,
        "go.mod": b"theirs",
        "extra": b"",
    }


@pytest.mark.parametrize(
    ("theirs", "ours"), [("mod/a", "mod"), ("mod", "mod/a"), ("a/b/c", "a"), ("a", "a/b/c")]
)
def test_a_caller_s_file_where_a_compile_step_needs_a_directory_is_refused(
    theirs: str, ours: str
) -> None:
    own = (SourceFile(path=ours, content=b""),)
    offered = compiled(compile=Compile(argv=("cc",), files=own))
    with pytest.raises(InvalidRequest, match="cannot be beside") as refusal:
        compiling(request(files=(SOURCE, SourceFile(path=theirs, content=b""))), offered)
    assert refusal.value.field == "files"
    compiling(request(files=(SOURCE, SourceFile(path="mode", content=b""))), offered)


def test_a_request_may_need_no_compile_step() -> None:
    def only_lua(source: Source) -> Compile | None:
        return CC if source.entrypoint.endswith(".c") else None

    assert plan(request(), compiled(compile=only_lua), allowance(), key).compiling is None


def test_a_compile_function_is_told_of_the_limits_of_its_own_step_and_the_run_s_of_the_run_s() -> (
    None
):
    def by_memory(source: Source) -> Compile:
        return Compile(argv=("cc", f"-m{source.limits.memory_bytes}"))

    def heap(source: Source) -> tuple[str, ...]:
        return ("vm", f"-m{source.limits.memory_bytes}")

    offered = language(compile=by_memory, run=heap)
    made = plan(request(), offered, allowance(Limits(memory_bytes=1)), key)
    assert made.compiling is not None
    assert made.compiling.step.argv == ("cc", f"-m{allowance().compile.memory_bytes}")
    assert made.step.argv == ("vm", "-m1")


@pytest.mark.parametrize(
    "name", ["{artifact}", "{out}", "{entrypoint}", "{dependencies}", "{requirements}", "{}"]
)
def test_a_file_that_is_called_like_a_placeholder_is_still_a_file(name: str) -> None:
    asked = request(files=(SourceFile(path=name, content=b""),), entrypoint=name)
    made = plan(asked, compiled(), allowance(), key, dependencies="/store/1")
    assert made.compiling is not None
    assert made.compiling.step.argv == ("cc", "-o", "/tmp/out/main", name)
    assert made.step.argv == ("/store/0123456789abcdef/main", name)


@pytest.mark.parametrize("name", ["-c", "--help", "-"])
def test_an_entrypoint_is_no_option_of_a_compiler_or_of_a_function_s_command(name: str) -> None:
    def run(source: Source) -> tuple[str, ...]:
        return ("lua", source.entrypoint)

    asked = request(files=(SourceFile(path=name, content=b"x"),), entrypoint=name)
    made = plan(asked, compiled(run=run), allowance(), key)
    assert made.compiling is not None
    assert made.compiling.step.argv[-1] == f"./{name}"
    assert made.step.argv == ("lua", f"./{name}")


def test_files_that_do_not_fit_with_a_compile_step_s_own_are_refused() -> None:
    own = (SourceFile(path="own", content=b"x"),)
    offered = compiled(compile=Compile(argv=("cc",), files=own))
    plan(request(), offered, allowance(compiling=Limits(scratch_bytes=2 * 4096)), key)
    with pytest.raises(InvalidRequest, match="the files take 8192 bytes"):
        plan(request(), offered, allowance(compiling=Limits(scratch_bytes=4096)), key)


FAST = Option(name="fast", description="Faster.")
LEVEL = Option(name="level", description="How much.", values=("low", "mid", "high"))


def test_options_have_the_value_asked_for_or_their_first() -> None:
    def run(source: Source) -> tuple[str, ...]:
        return ("lua", *(f"{name}={source.options[name]}" for name in sorted(source.options)))

    offered = language(run=run, options=(FAST, LEVEL))
    usual = plan(request(), offered, allowance(), key).step
    assert usual.argv == ("lua", "fast=false", "level=low")
    asked = request(options={"level": "high", "fast": "true"})
    assert plan(asked, offered, allowance(), key).step.argv == ("lua", "fast=true", "level=high")


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"slow": "true"}, "options", "no option 'slow'; known: fast, level"),
        ({"": "true"}, "options", "no option ''"),
        ({"level": "fast"}, "options.level", "cannot be 'fast'; one of: low, mid, high"),
        ({"fast": ""}, "options.fast", "cannot be ''; one of: false, true"),
        ({"fast": "True"}, "options.fast", "cannot be 'True'"),
        ({"fast": "true", "x": "y"}, "options", "no option 'x'"),
        ({"x" * 10_000: "y"}, "options", r"no option 'x{77}\.\.\.'"),
        ({"fast": "y" * 10_000}, "options.fast", r"cannot be 'y{77}\.\.\.'"),
    ],
)
def test_options_that_are_none_are_refused_with_what_there_is(
    options: dict[str, str], field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as refusal:
        plan(request(options=options), language(options=(FAST, LEVEL)), allowance(), key)
    assert refusal.value.field == field
    assert len(refusal.value.detail) < 200


def test_a_language_without_options_takes_none() -> None:
    with pytest.raises(InvalidRequest, match="lua has no option 'fast'; known: none"):
        plan(request(options={"fast": "true"}), language(), allowance(), key)


BOOTED = Boot(argv=("lua", "boot.lua"), cold_limits=("memory_bytes", "cpus"))


@pytest.mark.parametrize(
    ("limits", "cold"),
    [
        (Limits(), False),
        (Limits(memory_bytes=1), True),
        (Limits(cpus=0.5), True),
        (Limits(wall_seconds=1.0, processes=1, scratch_bytes=1 << 20), False),
    ],
)
def test_a_limit_that_a_booted_runtime_was_told_of_makes_a_run_with_another_cold(
    limits: Limits, cold: bool
) -> None:
    assert plan(request(), language(boot=BOOTED), allowance(limits), key).kind.cold is cold


def test_limits_decide_by_what_the_operator_gives_unasked() -> None:
    given = msgspec.structs.replace(allowance(Limits(cpus=2.0)), booted=Limits(cpus=2.0))
    assert not plan(request(), language(boot=BOOTED), given, key).kind.cold


@pytest.mark.parametrize(
    ("cold_env", "env", "cold"),
    [
        (("*",), {}, False),
        (("*",), {"ANY": ""}, True),
        ((), {"ANY": "1"}, False),
        (("SEED",), {"*": "1"}, False),
    ],
)
def test_a_runtime_that_cannot_change_its_environment_starts_cold_for_any_variable(
    cold_env: tuple[str, ...], env: dict[str, str], cold: bool
) -> None:
    offered = language(boot=BOOTED, cold_env=cold_env)
    assert plan(request(env=env), offered, allowance(), key).kind.cold is cold


ROCKS = Dependencies(
    requirement=r"(.+)",
    install=("luarocks", "--tree={out}", "--for", "{dependencies}", "{requirements}"),
    env={"LUA_PATH": "{dependencies}/lua"},
)


def test_a_run_with_dependencies_finds_them_by_its_variables_and_is_cold() -> None:
    offered = compiled(dependencies=ROCKS, boot=BOOTED, run=("lua", "{dependencies}"))
    asked = request(dependencies=("a",), env={"OTHER": "1"})
    made = plan(asked, offered, allowance(), key, dependencies="/store/1")
    assert made.kind.cold
    assert made.step.env["LUA_PATH"] == "/store/1/lua"
    assert made.step.dependencies == "/store/1"
    assert made.step.argv == ("lua", "/store/1")
    assert made.compiling is not None
    assert made.compiling.step.env["LUA_PATH"] == "/store/1/lua"
    assert not made.kind.egress


def test_a_caller_s_variable_wins_over_where_dependencies_are() -> None:
    asked = request(dependencies=("a",), env={"LUA_PATH": "mine"})
    step = plan(asked, language(dependencies=ROCKS), allowance(), key, dependencies="/store/1").step
    assert step.env["LUA_PATH"] == "mine"


def test_without_dependencies_nothing_tells_of_any() -> None:
    step = plan(request(), language(dependencies=ROCKS), allowance(), key).step
    assert "LUA_PATH" not in step.env
    assert step.dependencies is None


def test_an_install_step_has_a_way_out_and_the_certificates_and_nothing_of_the_caller_s() -> None:
    made = install_plan(
        language(dependencies=ROCKS), ("b", "{out}", "a"), Limits(), "/store/1", WAY, ("/b", "/a/")
    )
    assert made.way == WAY
    assert made.kind.hidden == ("/a", "/b")
    assert (made.kind.cold, made.kind.egress, made.compiling) == (True, True, None)
    step = made.step
    assert step.argv == ("luarocks", "--tree=/tmp/out", "--for", "/store/1", "b", "{out}", "a")
    assert step.out == "/tmp/out"
    assert step.files == ()
    assert step.env["SSL_CERT_FILE"] == step.env["PIP_CERT"] == CERTIFICATES
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        assert step.env[name] == "http://127.0.0.1:3128"
    assert step.stdin == b""
    assert step.limits == Limits()


def test_a_run_that_asks_for_hosts_gets_a_cell_with_a_way_to_these_and_is_told_of_it() -> None:
    hosts = ("api.test", "*.test:443")
    made = plan(request(network=hosts), language(template=Path("t.py")), allowance(), key)
    assert made.way == Way(patterns=host_patterns(hosts))
    assert made.kind == Kind(scratch_bytes=LIMITS.scratch_bytes, egress=True)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        assert made.step.env[name] == PROXY
    assert "localhost" in made.step.env["NO_PROXY"]
    assert made.step.env["SSL_CERT_FILE"] == made.step.env["NODE_EXTRA_CA_CERTS"] == CERTIFICATES


def test_a_run_that_asks_for_no_hosts_is_told_of_none() -> None:
    made = plan(request(), language(), allowance(), key)
    assert (made.way, made.kind.egress) == (None, False)
    assert not [name for name in made.step.env if "PROXY" in name.upper() or "CERT" in name]


def test_what_the_caller_sets_wins_over_what_it_is_told_of_the_way_out() -> None:
    asked = request(network=("a.test",), env={"HTTPS_PROXY": "", "NODE_USE_ENV_PROXY": "0"})
    env = plan(asked, language(), allowance(), key).step.env
    assert (env["HTTPS_PROXY"], env["NODE_USE_ENV_PROXY"]) == ("", "0")


def test_a_booted_runtime_that_was_told_of_no_proxy_is_not_used_where_there_is_one() -> None:
    made = plan(request(network=("a.test",)), language(boot=BOOTED), allowance(), key)
    assert made.kind.cold


def test_a_language_s_functions_hear_of_the_proxy_of_a_run_and_of_none_while_compiling() -> None:
    def run(source: Source) -> tuple[str, ...]:
        return ("lua", str(source.proxy))

    def compiling(source: Source) -> Compile:
        return Compile(argv=("luac", str(source.proxy)))

    offered = language(run=run, compile=compiling)
    with_it = plan(request(network=("a.test",)), offered, allowance(), key)
    assert with_it.step.argv == ("lua", PROXY)
    assert with_it.compiling is not None
    assert with_it.compiling.step.argv == ("luac", "None")
    assert not with_it.compiling.kind.egress
    assert not [name for name in with_it.compiling.step.env if "PROXY" in name.upper()]
    assert plan(request(), offered, allowance(), key).step.argv == ("lua", "None")


def test_volumes_and_hidden_paths_are_part_of_the_kind_in_one_order() -> None:
    asked = request(mounts=("b/c", "a", "b/c"))
    offered = language(compile=Compile(argv=("luac",)))
    made = plan(asked, offered, allowance(), key, hidden=("/b", "/a/", "/b"))
    assert (made.kind.volumes, made.kind.hidden) == (("a", "b/c"), ("/a", "/b"))
    assert made.compiling is not None
    assert (made.compiling.kind.volumes, made.compiling.kind.hidden) == ((), ("/a", "/b"))


def test_an_artifact_is_named_by_what_its_compile_step_sees() -> None:
    seen: list[Kind] = []

    def naming(name: str, kind: Kind, step: Step) -> str:
        seen.append(kind)
        return "1"

    plan(request(), language(compile=Compile(argv=("luac",))), allowance(), naming, hidden=("/a",))
    assert [kind.hidden for kind in seen] == [("/a",)]


def raising(source: Source) -> Any:
    raise ZeroDivisionError


def mumbling(source: Source) -> Any:
    return "lua main.lua"


@pytest.mark.parametrize("function", [raising, mumbling])
@pytest.mark.parametrize("field", ["run", "env", "compile"])
def test_a_function_of_a_plugin_that_fails_is_told_as_the_language_s_failure(
    field: str, function: Callable[[Source], Any]
) -> None:
    with pytest.raises(LanguageError, match=function.__name__):
        plan(request(), language(**{field: function}), allowance(), key)
    assert LanguageError.code == "language_failed"
