"""A cell forked from a warm template is as fresh as a new interpreter."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.integration.service import Service


def test_preloads_are_imported_already(service: Service) -> None:
    code = "import sys; print('numpy' in sys.modules, 'pandas' in sys.modules)"
    assert service.output(code) == "True True\n"


def test_random_state_differs_in_every_cell(service: Service) -> None:
    code = """
import json, os, random, uuid, secrets, tempfile
import numpy
print(json.dumps([random.random(), str(uuid.uuid4()), os.urandom(8).hex(), secrets.token_hex(8),
    numpy.random.random(), float(numpy.random.default_rng().random()), tempfile.mktemp(),
    random.SystemRandom().random()]))
"""
    with ThreadPoolExecutor(8) as threads:
        rows = [json.loads(line) for line in threads.map(lambda _: service.output(code), range(24))]
    for column in zip(*rows, strict=True):
        assert len(set(column)) == len(rows)


def test_a_hash_seed_is_honoured(service: Service) -> None:
    """A template cannot change its hash secret, so such a run starts an interpreter of its own."""
    code = "print(hash('soulbox'))"
    zero = {service.output(code, env={"PYTHONHASHSEED": "0"}) for _ in range(2)}
    assert len(zero) == 1
    assert zero != {service.output(code, env={"PYTHONHASHSEED": "1"})}


def test_environment_is_the_requests_alone(service: Service) -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    first = json.loads(service.output(code, env={"ONE": "1"}))
    second = json.loads(service.output(code, env={"TWO": "2"}))
    assert first.pop("ONE") == "1"
    assert second.pop("TWO") == "2"
    assert first == second
    assert first["HOME"] == "/box"


def test_a_subprocess_sees_the_environment_too(service: Service) -> None:
    code = "import subprocess; print(subprocess.check_output(['sh', '-c', 'echo $ONE']).decode())"
    assert service.output(code, env={"ONE": "1"}) == "1\n\n"


def test_interpreter_state_is_that_of_a_new_one(service: Service) -> None:
    code = """
import sys, threading, os, signal, gc, json
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "threads": [t.name for t in threading.enumerate()],
    "main": threading.main_thread() is threading.current_thread(),
    "cwd": os.getcwd(), "umask": os.umask(0), "name": __name__, "file": __file__,
    "recursion": sys.getrecursionlimit(), "gc": gc.isenabled(),
    "pipe": signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN,
    "int": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "child": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
    "ours": [m for m in sys.modules if "launcher" in m or "soulbox" in m],
    "executable": sys.executable, "flags": sys.flags.isolated,
    "locals": sorted(k for k in globals() if not k.startswith("__")),
    "dunders": sorted(k for k in globals() if k.startswith("__")),
    "trace": sys.gettrace() is None and sys.getprofile() is None,
    "encoding": sys.stdout.encoding,
}))
"""
    warm = json.loads(service.output(code, args=["a", "b c"]))
    cold = json.loads(service.output(code, args=["a", "b c"], env={"PYTHONHASHSEED": "random"}))
    assert warm == cold


def test_no_state_of_one_run_is_in_the_next(service: Service) -> None:
    spoil = """
import builtins, sys, os, numpy, random
builtins.spoiled = True
sys.modules["spoiled"] = sys
numpy.spoiled = True
random.seed(1)
os.environ["SPOILED"] = "1"
sys.path.insert(0, "/spoiled")
sys.setrecursionlimit(50_000)
"""
    look = """
import builtins, sys, os, numpy
print(hasattr(builtins, "spoiled"), "spoiled" in sys.modules, hasattr(numpy, "spoiled"),
      "SPOILED" in os.environ, "/spoiled" in sys.path, sys.getrecursionlimit())
"""
    for _ in range(6):
        assert service.run(spoil)["status"] == "ok"
        assert service.output(look) == "False False False False False 1000\n"


def test_traceback_shows_the_users_files_and_lines_only(service: Service) -> None:
    answer = service.run("def f():\n    raise ValueError('no')\nf()")
    assert answer["stderr"].startswith(
        'Traceback (most recent call last):\n  File "/box/main.py", line 3, in <module>\n'
    )
    assert answer["stderr"].count("File ") == 2
    assert answer["exit_code"] == 1


def test_syntax_error_names_file_and_line(service: Service) -> None:
    answer = service.run("x = 1\ndef f(:\n")
    assert answer["stderr"].startswith('  File "/box/main.py", line 2\n')
    assert "SyntaxError" in answer["stderr"]
    assert answer["status"] == "failed"


def test_ending_is_that_of_a_new_interpreter(service: Service) -> None:
    """atexit, finalizers, threads and unflushed output, in CPython's order, warm as cold."""
    code = """
import atexit, sys, threading, time
class Loud:
    def __init__(self, name): self.name = name
    def __del__(self): print("finalized", self.name)
_private = Loud("private")
public = Loud("public")
atexit.register(lambda: print("atexit"))
def late():
    time.sleep(0.2)
    print("thread done")
threading.Thread(target=late).start()
sys.stdout.write("not flushed ")
sys.exit("told on stderr")
"""
    warm = service.run(code)
    cold = service.run(code, env={"PYTHONHASHSEED": "random"})
    for key in ("stdout", "stderr", "exit_code", "status"):
        assert warm[key] == cold[key]
    assert "finalized public" in warm["stdout"]


def test_multiprocessing_works_by_fork_and_by_spawn(service: Service) -> None:
    code = """
import multiprocessing, sys
def square(n): return n * n
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(square, range(4)))
"""
    assert service.output(code) == "[0, 1, 4, 9]\n" * 2
