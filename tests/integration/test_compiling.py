"""Compile steps, their cache, and compile helpers, with hostile compilers and sources.

The language `built` runs the source itself as its compiler, with the directory for the artifact
as its argument.
"""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.service import Service
from tests.integration.trial import ARTIFACT_BYTES, last_line, trial_service

PROGRAM = "print('ran')"


def build(code: str, program: str = PROGRAM) -> str:
    """A source that does something while it compiles, and leaves a program.

    Unlike any other, so that it is not found in the cache.
    """
    return f"""
import os, sys, time, subprocess
out = sys.argv[1]
unique = {uuid4().hex!r}
def leave(path, content):
    os.makedirs(os.path.dirname(f"{{out}}/{{path}}"), exist_ok=True)
    with open(f"{{out}}/{{path}}", "w") as file: file.write(content)
leave("main.py", {dedent(program)!r})
{dedent(code)}
"""


def run(service: Service, code: str, **options: Any) -> dict[str, Any]:
    return service.run(code, language="built", **options)


def failed(service: Service, code: str, **options: Any) -> str:
    """The last line that is told of a compile that must fail."""
    answer = run(service, code, **options)
    assert answer["status"] == "compile_failed", answer
    assert answer["stdout"] == ""
    assert answer["compile"]["output"] == answer["stderr"]
    return last_line(answer)


def store_of(service: Service, language: str = "built") -> Path:
    base = os.environ.get("SOULBOX_STATE_DIR") or os.path.expanduser("~/.local/share/soulbox")
    return Path(base) / "instances" / service.instance / "store" / language


def kept(service: Service, marker: str) -> Path:
    """The one program in the store with this text in it."""
    (main,) = (one for one in store_of(service).glob("*/main.py") if marker in one.read_text())
    return main


# The cache


def test_a_program_is_compiled_once_and_found_again(trial: Service) -> None:
    code = build("print('compiling')")
    first, second = run(trial, code), run(trial, code, args=["x"], env={"A": "1"})
    for answer, cached in ((first, False), (second, True)):
        assert (answer["status"], answer["stdout"]) == ("ok", "ran\n")
        assert answer["compile"] == {"cached": cached, "output": "compiling\n"}
        assert answer["timings"]["compile_seconds"] > 0


def test_two_at_once_are_one_compile(trial: Service) -> None:
    """What the compiler has made up is the same for all."""
    program = "import os; print(open(os.path.dirname(__file__) + '/random').read())"
    code = build("time.sleep(0.5); leave('random', os.urandom(8).hex())", program)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: run(trial, code), range(6)))
    assert {answer["status"] for answer in answers} == {"ok"}
    assert len({answer["stdout"] for answer in answers}) == 1


def test_another_entrypoint_or_file_is_another_artifact(trial: Service) -> None:
    code = build("")
    bodies: list[dict[str, Any]] = [
        {"files": {"a.py": code, "b.py": code}, "entrypoint": "a.py"},
        {"files": {"a.py": code, "b.py": code}, "entrypoint": "b.py"},
        {"files": {"a.py": code, "b.py": code, "c": ""}, "entrypoint": "a.py"},
        {"files": {"a.py": code, "b.py": code, "c": " "}, "entrypoint": "a.py"},
    ]
    for cached in (False, True):
        for body in bodies:
            answer = trial.client.post("/v1/run/built", json=body).json()
            assert answer["compile"]["cached"] is cached


def test_an_artifact_survives_a_restart_and_a_damaged_one_is_built_anew() -> None:
    marker = uuid4().hex
    code = build("print('compiling')", f"print('ran')  # {marker}")
    for number, cached in enumerate((False, True, False, True)):
        with trial_service("test-restart") as service:
            answer = run(service, code)
            assert (answer["status"], answer["stdout"]) == ("ok", "ran\n")
            assert answer["compile"] == {"cached": cached, "output": "compiling\n"}
            main = kept(service, marker)
        if number == 1:
            main.chmod(0o755)
            main.write_text("print('evil')")
            main.chmod(0o555)


def test_an_artifact_damaged_under_a_running_service_is_built_anew(trial: Service) -> None:
    marker = uuid4().hex
    code = build("", f"print('ran')  # {marker}")
    assert run(trial, code)["stdout"] == "ran\n"
    main = kept(trial, marker)
    main.parent.chmod(0o755)
    main.unlink()
    answer = run(trial, code)
    assert (answer["stdout"], answer["compile"]["cached"]) == ("ran\n", False)


def test_an_option_decides_whether_there_is_a_compile_step(trial: Service) -> None:
    code = f"print(1)  # {uuid4().hex}"
    plain = trial.run(code, language="checked")
    assert (plain["stdout"], plain["compile"]) == ("1\n", None)
    checked = trial.run(code, language="checked", options={"check": True})
    assert (checked["stdout"], checked["compile"]["cached"]) == ("1\n", False)
    wrong = trial.run("def f(:\n", language="checked", options={"check": "true"})
    assert wrong["status"] == "compile_failed"
    assert 'File "main.py", line 1' in wrong["stderr"]
    by_query = trial.client.post("/v1/run/checked?check=true", content="def f(:\n").json()
    assert by_query["status"] == "compile_failed"
    assert trial.client.post("/v1/run/checked?check=maybe", content="1").status_code == 400
    assert trial.client.post("/v1/run/checked?chekc=true", content="1").status_code == 400


def test_options_beyond_all_bounds_are_refused_in_few_words(trial: Service) -> None:
    for options in (
        {"x" * 100_000: "true"},
        {"check": "y" * 100_000},
        {f"option{number}": "true" for number in range(17)},
        {"check\u0000": "true"},
        {"": ""},
    ):
        response = trial.post("print(1)", language="checked", options=options)
        assert response.status_code == 400
        assert len(response.content) < 2000


def test_a_file_that_is_called_like_a_placeholder_is_compiled_and_run(trial: Service) -> None:
    for name in ("{out}", "{artifact}", "{entrypoint}", "-c", "--version"):
        body = {"files": {name: build("print('compiled')")}, "entrypoint": name}
        answer = trial.client.post("/v1/run/built", json=body).json()
        assert (answer["stdout"], answer["compile"]["output"]) == ("ran\n", "compiled\n"), answer


# What the program may do with an artifact


def test_the_artifact_is_read_only_and_may_be_executed(trial: Service) -> None:
    program = """
    import os, subprocess
    here = os.path.dirname(__file__)
    print(oct(os.stat(__file__).st_mode), oct(os.stat(here).st_mode), os.stat(here).st_uid)
    attempts = (
        lambda: open(__file__, "a"),
        lambda: os.truncate(__file__, 0),
        lambda: os.chmod(__file__, 0o777),
        lambda: os.chmod(here, 0o777),
        lambda: os.chown(here, os.getuid(), -1),
        lambda: os.utime(__file__),
        lambda: os.unlink(__file__),
        lambda: os.rename(__file__, here + "/other"),
        lambda: os.rename(here, here + "0"),
        lambda: os.rename("/box/mine", __file__),
        lambda: os.replace("/box/mine", __file__),
        lambda: os.link(__file__, "/box/link"),
        lambda: os.link("/box/mine", here + "/link"),
        lambda: os.symlink("/box/mine", here + "/link"),
        lambda: os.mkdir(here + "/new"),
        lambda: os.mkdir("/store/0123456789abcdef"),
        lambda: os.symlink("/box", "/store/0123456789abcdef"),
        lambda: os.rmdir("/store"),
        lambda: os.rename("/store", "/box/store"),
        lambda: os.mkfifo(here + "/fifo"),
        lambda: os.setxattr(__file__, "user.x", b"1"),
        lambda: os.setxattr(here, "user.x", b"1"),
        lambda: os.open(here, os.O_RDWR | os.O_TMPFILE),
        lambda: os.open("/store", os.O_RDWR | os.O_TMPFILE),
        lambda: os.open(f"/proc/self/fd/{os.open(__file__, os.O_RDONLY)}", os.O_WRONLY),
    )
    open("/box/mine", "w").write("print('evil')")
    for number, attempt in enumerate(attempts):
        try:
            attempt()
            print("done", number)
        except OSError:
            pass
    print(subprocess.run([here + "/tool"], capture_output=True).stdout)
    """
    code = build("leave('tool', '#!/bin/sh\\necho tool\\n')", program)
    assert run(trial, code)["stdout"] == "0o100555 0o40755 0\nb'tool\\n'\n"
    again = run(trial, code)
    assert again["compile"]["cached"]
    assert again["stdout"] == "0o100555 0o40755 0\nb'tool\\n'\n"


LOOK = """
import os
def look(path):
    try:
        return os.listdir(path)
    except OSError as error:
        return error.strerror
"""


def test_the_store_cannot_be_listed_and_no_other_language_s_is_there(trial: Service) -> None:
    """Also not by way of /proc, or a key that belongs to another language."""
    source = f"# ok {uuid4().hex}\nimport os; print(os.path.dirname(__file__))"
    foreign = trial.output(source, language="helped").strip()
    own = run(trial, build("", "import os; print(os.path.dirname(__file__))"))["stdout"].strip()
    assert foreign.startswith("/store/")
    look = f"""{LOOK}
print(look("/store"), look({foreign!r}), look({own!r}), look({own!r} + "/.."),
      look("/store/.meta"), look("/store/.secret"), look("/store/../store/.tmp"))
print([name for name in open("/proc/self/mountinfo").read().split() if {own[7:]!r} in name])
"""
    denied, missing = "Permission denied", "No such file or directory"
    expected = f"{denied} {missing} ['main.py'] {denied} {missing} {missing} {missing}\n[]\n"
    assert run(trial, build("", look))["stdout"] == expected
    compiling = run(trial, build(look))["compile"]["output"]
    assert compiling == expected  # a compiler sees no more


def test_a_key_does_not_follow_from_the_source(trial: Service) -> None:
    code = build("", "import os; print(os.path.dirname(__file__))")
    key = run(trial, code)["stdout"].strip().removeprefix("/store/")
    assert len(key) == 64
    with trial_service("test-key") as other:
        answer = run(other, code)
        assert not answer["compile"]["cached"]
        assert key not in answer["stdout"]
    assert key not in trial.said()


# What a compiler may leave


def test_only_regular_files_are_kept(trial: Service) -> None:
    code = """
    os.symlink("/etc/passwd", f"{out}/link")
    os.symlink("/", f"{out}/root")
    os.symlink("..", f"{out}/up")
    os.symlink("loop", f"{out}/loop")
    os.mkfifo(f"{out}/fifo")
    import socket
    socket.socket(socket.AF_UNIX).bind(f"{out}/socket")
    os.makedirs(f"{out}/empty")
    leave("a/b/c", "x")
    leave("secret", "x"); os.chmod(f"{out}/secret", 0)
    leave("setuid", "x"); os.chmod(f"{out}/setuid", 0o6755)
    leave("hidden/x", "x"); os.chmod(f"{out}/hidden", 0)
    os.link(f"{out}/a/b/c", f"{out}/hard")
    """
    program = """
    import os
    for path, _, names in sorted(os.walk(os.path.dirname(__file__))):
        for name in sorted(names):
            seen = os.lstat(os.path.join(path, name))
            print(name, oct(seen.st_mode), seen.st_nlink)
    """
    names = ("hard", "main.py", "setuid", "c")
    said = "".join(f"{name} 0o100555 1\n" for name in names)
    assert run(trial, build(code, program))["stdout"] == said


@pytest.mark.parametrize(
    "name", ["new\nline", 'quo"te', "back\\slash", "\x01\x7f", "caf\u00e9", "..a", "...", " ", "*"]
)
def test_files_of_strange_names_are_kept(trial: Service, name: str) -> None:
    program = f"import os; print(open(os.path.dirname(__file__) + '/' + {name!r}).read())"
    assert run(trial, build(f"leave({name!r}, 'kept')", program))["stdout"] == "kept\n"


TOO_MUCH = {
    "a name that is no text": "open(os.fsencode(out) + b'/\\xff\\xfe', 'w')",
    "a surrogate": "open(os.fsencode(out) + b'/\\xed\\xa0\\x80', 'w')",
    "one large file": f"leave('large', 'x' * {ARTIFACT_BYTES + 1})",
    "large together": f"[leave(str(n), 'x' * {ARTIFACT_BYTES // 4}) for n in range(5)]",
    "a sparse file": "with open(out + '/sparse', 'w') as file: file.truncate(200 << 20)",
    "many files": "[leave(f'{n:06}', '') for n in range(1000)]",
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_an_artifact_that_is_too_much_is_told_of_in_the_last_line(
    trial: Service, name: str
) -> None:
    said = f"what the compiler made is more than {ARTIFACT_BYTES} bytes or too many files"
    assert failed(trial, build(TOO_MUCH[name])) == said
    assert run(trial, build(""))["status"] == "ok"


UNKEPT = {
    "a deep tree": "leave('d/' * 100 + 'x', '')",
    "a long path": "leave(('d' * 200 + '/') * 15 + 'x', '')",
}


@pytest.mark.parametrize("name", UNKEPT)
def test_an_artifact_that_cannot_be_kept_is_the_compiler_s_failure(
    trial: Service, name: str
) -> None:
    assert failed(trial, build(UNKEPT[name])).startswith("what was made cannot be kept: ")


ENDS = {
    "more entries than there are inodes": (
        "try:\n  for n in range(100_000): os.mkdir(f'{out}/{n}')\nexcept OSError: sys.exit(1)",
        "the compiler was stopped: scratch_exceeded",
    ),
    "a full disk": (
        "try:\n  for n in range(100): leave(str(n), 'x' * (1 << 20))\nexcept OSError: sys.exit(1)",
        "the compiler was stopped: scratch_exceeded",
    ),
    "no end": ("while True: time.sleep(1)", "the compiler was stopped: wall_time_exceeded"),
    "all memory": ("x = bytearray(1 << 30)", "the compiler was stopped: memory_exceeded"),
    "endless output": (
        "while True: print('x' * 999)",
        "the compiler was stopped: output_exceeded",
    ),
    "a fork bomb": ("while True: os.fork()", "the compiler was stopped: process_limit"),
    "a crash": ("os.abort()", "the compiler was stopped: signaled"),
    "an error": ("sys.exit('main.py:1: no')", "main.py:1: no"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_compiler_s_end_is_told_in_the_last_line(trial: Service, name: str) -> None:
    code, said = ENDS[name]
    assert failed(trial, build(code)) == said
    assert run(trial, build(""))["status"] == "ok"


def test_a_compiler_that_removes_its_directory_leaves_nothing_that_runs(trial: Service) -> None:
    for code in (
        "os.unlink(out + '/main.py'); os.rmdir(out)",
        "os.rename(out, '/tmp/elsewhere')",
        "os.rename(out, '/tmp/elsewhere'); os.symlink('/nowhere', out)",
        "os.rename(out, '/tmp/elsewhere'); open(out, 'w').write('x')",
        "os.chmod(out, 0)",
    ):
        answer = run(trial, build(code))
        assert answer["status"] in ("compile_failed", "failed"), (code, answer)
        assert "ran" not in answer["stdout"]


def test_a_directory_that_became_a_link_shows_no_more_than_the_compiler_could_see(
    trial: Service,
) -> None:
    """What it leads to is read with the compiler's own rights, in the compiler's own root."""
    secret = f"secret {uuid4().hex}"
    hidden = run(trial, build(f"leave('secret', {secret!r})", "print(__file__)"))["stdout"]
    for target in ("/store", "/proc", "/", "/root", "/soulbox", hidden.strip() + "/../.."):
        code = f"os.rename(out, '/tmp/elsewhere'); os.symlink({target!r}, out)"
        answer = run(trial, build(code))
        assert answer["status"] in ("compile_failed", "failed"), (target, answer)
        assert secret not in answer["stdout"] + answer["stderr"]
    holders = {one.parent.name for one in store_of(trial).glob("*/secret") if holds(one, secret)}
    assert holders == {Path(hidden.strip()).parent.name}


def holds(file: Path, text: str) -> bool:
    return file.is_file() and text in file.read_text()


def test_a_process_that_is_left_cannot_change_what_is_kept(trial: Service) -> None:
    """It is killed before anything is read."""
    writer = (
        "import itertools, os, sys\\n"
        "for n in itertools.count():\\n"
        "  text = f'{n:020}' * 5000\\n"
        "  open(sys.argv[1] + '/changing', 'w').write(text)\\n"
    )
    code = f"""
    for _ in range(4):
        subprocess.Popen([sys.executable, "-c", "{writer}", out], start_new_session=True)
    while not os.path.exists(out + "/changing"): time.sleep(0.01)
    time.sleep(0.2)
    """
    program = """
    import os
    text = open(os.path.dirname(__file__) + "/changing").read()
    print(len(text) % 20, os.listdir(os.path.dirname(__file__)) == ["main.py", "changing"]
          or sorted(os.listdir(os.path.dirname(__file__))))
    """
    for _ in range(3):
        source = build(code, program)
        first, second = run(trial, source), run(trial, source)
        assert first["status"] == "ok", first
        assert second["compile"]["cached"]
        assert first["stdout"] == second["stdout"]


def test_a_compile_that_forges_its_end_keeps_what_is_there(trial: Service) -> None:
    code = """
    os.write(os.open("/soulbox/exit", os.O_WRONLY | os.O_NONBLOCK), b"0")
    time.sleep(1)
    leave("main.py", "print('late')")
    """
    assert run(trial, build(code))["stdout"] == "ran\n"


def test_a_compile_cell_has_no_network_and_nobody_else_s_processes(trial: Service) -> None:
    code = """
    print([line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
    print([name for name in os.listdir("/proc") if name.isdigit()] == [str(os.getpid())])
    print(sorted(os.environ))
    """
    names = ["HOME", "LANG", "LC_CTYPE", "LOGNAME", "OUT", "PATH", "USER"]
    said = run(trial, build(code), env={"SECRET": "1"})["compile"]["output"].split("\n")
    assert said[:2] == ["['lo']", "True"]
    assert set(json.loads(said[2].replace("'", '"'))) <= set(names)


def test_a_client_that_leaves_ends_the_compile_for_nobody_else(trial: Service) -> None:
    code = build("time.sleep(1)")
    with ThreadPoolExecutor(2) as threads:
        stays = threads.submit(run, trial, code)
        leaves = threads.submit(_impatient, trial, code)
        assert leaves.result()
        assert stays.result()["stdout"] == "ran\n"


def _impatient(service: Service, code: str) -> bool:
    try:
        httpx.post(f"{service.url}/v1/run/built", json={"code": code}, timeout=0.3)
    except httpx.TimeoutException:
        return True
    return False


def test_a_stream_of_a_failed_compile_has_what_it_said_and_the_result(trial: Service) -> None:
    body = {"code": build("sys.exit('main.py:1: no')")}
    headers = {"accept": "application/x-ndjson"}
    response = trial.client.post("/v1/run/built", json=body, headers=headers)
    said, result = (json.loads(line) for line in response.text.splitlines())
    assert said == {"event": "stderr", "data": "main.py:1: no\n"}
    assert (result["event"], result["status"]) == ("result", "compile_failed")
    assert result["compile"] == {"cached": False, "output": "main.py:1: no\n"}


def test_a_compile_under_way_is_waited_for_at_the_end() -> None:
    code = build("print('begun'); time.sleep(2)")
    with trial_service("test-draining") as service, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(run, service, code)
        time.sleep(0.7)  # so that it has begun, most likely
        service.process.send_signal(signal.SIGTERM)
        assert answer.result()["stdout"] == "ran\n"


# Helpers


def helped(service: Service, order: str, rest: str = "print('ran')") -> dict[str, Any]:
    source = f"# {order}\n# {uuid4().hex}\n{rest}"
    return service.run(source, language="helped")


def pid_of(answer: dict[str, Any]) -> int:
    return int(answer["compile"]["output"].split()[1])


def test_a_helper_compiles_one_after_the_other_and_stays(trial: Service) -> None:
    answers = [helped(trial, "ok") for _ in range(3)]
    assert {(answer["status"], answer["stdout"]) for answer in answers} == {("ok", "ran\n")}
    assert len({pid_of(answer) for answer in answers}) == 1
    counts = [int(answer["compile"]["output"].split()[3]) for answer in answers]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


def test_a_helper_s_artifact_is_kept_as_any(trial: Service) -> None:
    source = f"# ok\n# {uuid4().hex}\nprint('ran')"
    first, second = (trial.run(source, language="helped") for _ in range(2))
    assert (first["compile"]["cached"], second["compile"]["cached"]) == (False, True)
    assert first["compile"]["output"] == second["compile"]["output"]


def test_a_helper_s_refusal_is_told_and_it_goes_on(trial: Service) -> None:
    answer = helped(trial, "fail")
    assert (answer["status"], answer["exit_code"]) == ("compile_failed", 1)
    assert last_line(answer).startswith("helper ")
    assert helped(trial, "ok")["status"] == "ok"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("hang", "the compiler was stopped: wall_time_exceeded"),
        ("eat", "the compiler was stopped: memory_exceeded"),
    ],
)
def test_a_helper_that_runs_into_a_limit_is_told_of_and_replaced(
    trial: Service, order: str, said: str
) -> None:
    answer = helped(trial, order)
    assert (answer["status"], last_line(answer)) == ("compile_failed", said)
    assert helped(trial, "ok")["status"] == "ok"


@pytest.mark.parametrize("order", ["die", "garbage"])
def test_a_helper_that_fails_is_ours_to_answer_for_and_replaced(trial: Service, order: str) -> None:
    response = trial.post(f"# {order}\n# {uuid4().hex}", language="helped")
    assert response.status_code >= 500
    assert helped(trial, "ok")["status"] == "ok"


def test_a_helper_that_names_a_file_outside_is_not_obeyed(trial: Service) -> None:
    answer = helped(trial, "outside")
    assert answer["status"] == "compile_failed"
    assert last_line(answer).startswith("what was made cannot be kept: ")
    assert not (store_of(trial, "helped").parent / "outside").exists()
    assert helped(trial, "ok")["status"] == "ok"


def test_a_helper_is_replaced_after_its_number_of_compiles() -> None:
    """It goes on until its successor is ready."""
    with trial_service("test-helper", "pool.compiles=2") as service:
        counts: list[int] = []

        def is_replaced() -> bool:
            counts.append(int(helped(service, "ok")["compile"]["output"].split()[3]))
            return counts[-1] <= max(counts[:-1], default=0)

        service.await_true(is_replaced, "the helper is replaced")
