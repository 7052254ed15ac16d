"""A cell forked from a warm template is as fresh as a new interpreter."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.service import Service

COLD = {"PYTHONHASHSEED": "random"}
"""An environment that changes nothing but that the run starts an interpreter of its own."""

TEE = """
import sys
class Tee:
    def __init__(self, *streams): self.streams = streams
    def write(self, text): [stream.write(text) for stream in self.streams]
    def flush(self): [stream.flush() for stream in self.streams]
"""
LOUD = """
class Loud:
    def __init__(self, name): self.name = name
    def __del__(self): print("finalized", self.name)
"""
SPIN = """
import threading, time
def nothing(): return 1
def spin():
    while True: nothing(), time.sleep(0)
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
time.sleep(0.02)
"""

PROGRAMS = {
    # The standard streams replaced, closed or broken
    "tee": TEE + "sys.stdout = Tee(sys.stdout, open('out', 'w'))\nprint('hello')",
    "tee on stderr": TEE + "sys.stderr = Tee(sys.stderr)\nprint('e', file=sys.stderr); 1 / 0",
    "stream that only writes": """
import sys
class Shout:
    def write(self, text): sys.__stdout__.write(text.upper())
sys.stdout = Shout()
print("x")""",
    "stream that raises": """
import sys
class Broken:
    closed = property(lambda self: 1 / 0)
    def write(self, text): sys.__stdout__.write(text)
    def flush(self): raise KeyError("flush")
sys.stdout = Broken()
print("x")""",
    "stream that exits": """
import sys
class Exits:
    def write(self, text): sys.__stdout__.write(text)
    def flush(self): raise SystemExit(5)
sys.stdout = Exits()
print("x")""",
    "streams that are None": "import sys\nprint('x')\nsys.stdout = sys.stderr = None\n1 / 0",
    "streams that are gone": "import sys\nprint('x')\ndel sys.stdout, sys.stderr\nsys.exit('y')",
    "stdout closed": "import sys\nprint('x')\nsys.stdout.close()",
    "descriptor closed": "import os\nprint('x')\nos.close(1)",
    "stdout full": "import os, sys\nos.dup2(os.open('/dev/full', 1), 1)\nprint('x')\nsys.exit(3)",
    "stdout detached": "import sys\nsys.stdout.detach().write(b'x')",
    "stdout wrapped": """
import io, sys
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
print("wrapped")""",
    "stdout reopened": "import os\nf = os.fdopen(1, 'w')\nf.write('twice')\nprint('p')",
    # How it ends
    **{
        f"exit with {value}": f"print('x')\nraise SystemExit({value})"
        for value in ("0", "3", "-1", "256", "2 ** 40", "2 ** 70", "None", "'text'", "True", "1.5")
    },
    "exit with what has no text": """
class Mute:
    def __str__(self): raise ValueError
print("x")
raise SystemExit(Mute())""",
    "exit without a code": """
class Exit(SystemExit):
    code = property(lambda self: 1 / 0)
    def __str__(self): raise ValueError
print("x")
raise Exit(3)""",
    "exit without stderr": "import sys\nprint('x')\nsys.stderr = None\nsys.exit('message')",
    "interrupt": "print('x')\nraise KeyboardInterrupt",
    "interrupt by signal": "import os, signal\nprint('x')\nos.kill(os.getpid(), signal.SIGINT)",
    "subclass of interrupt": "class Stop(KeyboardInterrupt): pass\nraise Stop",
    "interrupt and exit": """
import sys
sys.excepthook = lambda *_: sys.exit(4)
raise KeyboardInterrupt""",
    "excepthook": "import sys\nsys.excepthook = lambda *_: print(sys.exc_info(), _[:2])\n1 / 0",
    "excepthook exits": "import sys\nsys.excepthook = lambda *_: sys.exit(5)\n1 / 0",
    "excepthook fails": """
import sys
def hook(*_): raise KeyError("hook")
sys.excepthook = hook
1 / 0""",
    "excepthook is missing": "import sys\ndel sys.excepthook\n1 / 0",
    "excepthook is None": "import sys\nsys.excepthook = None\n1 / 0",
    "last error": """
import atexit, sys
atexit.register(lambda: print(sys.last_exc, sys.last_value, sys.last_type, sys.last_traceback))
1 / 0""",
    "forked child ends, too": """
import atexit, os
parent = os.getpid()
atexit.register(lambda: print("child" if os.getpid() != parent else "parent"))
if os.fork():
    os.wait()""",
    # What the program replaced
    "os._exit replaced": "import os\nos._exit = lambda code: print('caught', code)\nprint('x')",
    "builtins replaced": """
import builtins
print("x")
for name in ("isinstance", "issubclass", "vars", "next", "any", "bool"): delattr(builtins, name)""",
    "shutdown replaced": """
import atexit, threading
threading._shutdown = atexit._run_exitfuncs = None
print("x")""",
    "modules dropped": "import sys\nprint('x')\nsys.modules.clear()",
    "main replaced": "import sys\nprint('x')\nsys.modules['__main__'] = 3",
    "trace left": "import sys\nprint('x')\nsys.settrace(lambda *_: 1 / 0)",
    "profile left": """
import sys
calls = 0
def count(frame, event, what):
    global calls
    if event == "call": calls += 1
class Tell:
    def __del__(self): print(calls)
tell = Tell()
def f(): pass
sys.setprofile(count)
f(); f()
sys.setprofile(None)""",
    "alarm in the end": """
import atexit, signal, time
def alarm(*_): raise TimeoutError
signal.signal(signal.SIGALRM, alarm)
atexit.register(time.sleep, 0.2)
signal.setitimer(signal.ITIMER_REAL, 0.05)
print("x")""",
    # The order of things at the end
    "everything": LOUD
    + """
import atexit, threading, time, weakref
a, _b, __c, cycle = Loud("a"), Loud("_b"), Loud("__c"), [Loud("in a cycle")]
cycle.append(cycle)
gone = Loud("garbage"); gone.self = gone; del gone
weakref.finalize(a, print, "weakref")
atexit.register(lambda: print("atexit", sorted(globals())))
threading.Thread(target=lambda: (time.sleep(0.05), print("thread"))).start()
print("end")""",
    "no functions": "import weakref, gzip\na = gzip.open('a', 'w')\na.write(b'x')\n_b = {1: a}",
    "held by an error": LOUD + "def f(here): 1 / 0\nf(Loud('here'))",
    "no collector": LOUD + "import gc\ngc.disable()\na = Loud('a'); a.self = a; del a",
    "collector watched": """
import gc
gc.collect()
gc.callbacks.append(lambda phase, info: print(phase))""",
    "generator": "def g():\n  try: yield\n  finally: print('closed')\nx = g(); next(x)",
    "exit in an exit function": "import atexit, os\natexit.register(os._exit, 6)\nprint('x')",
    "error in an exit function": "import atexit\natexit.register(lambda: 1 / 0)\nprint('x')",
    "process waited for": """
import multiprocessing, time
def work():
    time.sleep(0.1)
    print("child")
multiprocessing.Process(target=work).start()
print("parent")""",
    "daemon threads": SPIN + "print('end')",
    "daemon threads and an error": SPIN + "print('end')\n1 / 0",
    "daemon threads and garbage": LOUD + SPIN + "a = Loud('a'); a.self = a; del a",
    "tasks left": """
import asyncio
async def main():
    asyncio.ensure_future(asyncio.sleep(10))
    print("x")
asyncio.new_event_loop().run_until_complete(main())""",
    # Files left open
    "file": "f = open('out', 'w')\nf.write('data')",
    "file in a cycle": """
class Log:
    def __init__(self):
        self.file, self.self = open("out", "w"), self
        self.file.write("data")
Log()""",
    "file held by a hook": """
import sys
f = open("out", "w")
f.write("data")
sys.displayhook = lambda *_: f""",
    "file in a default": "def f(file=open('out', 'w')): file.write('data')\nf()",
    # What is found where
    "names": "print(__name__, __file__, __spec__, __package__, __doc__, *globals())",
    "annotations": "x: int = 1\nprint(__annotations__)",
    # The source itself
    "null byte": "print(1)\0",
    "unknown encoding": "# coding: latin-9x\nprint(1)",
    "wrong encoding": "# coding: ascii\nprint('\u00e9')",
    "syntax error": "print(1)\ndef f(:\n",
    "indentation": "if 1:\nprint(1)",
    "syntax warning": "if 1 is 1: print('x')",
    "latin-1": "# coding: latin-1\nprint('\u00e9')".encode("latin-1"),
    "not utf-8": b"print('\xe9')",
    "utf-16": "print(1)".encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbfprint('x')",
    "carriage returns": "print(1)\r\n1 / 0\r\n",
    "nothing": "",
}

PROJECTS = {
    "file in a module": {
        "main.py": "import log",
        "log.py": "file = open('out', 'w')\nfile.write('data')\ndef f(): pass",
    },
    "file in a module that is held": {
        "main.py": "import log, sys\nsys.displayhook = log.f",
        "log.py": "file = open('out', 'w')\nfile.write('data')\ndef f(): pass",
    },
    "file in a module beside daemon threads": {
        "main.py": SPIN + "import log",
        "log.py": "file = open('out', 'w')\nfile.write('data')",
    },
    "finalizers of modules": {
        "main.py": LOUD + "import a\nx = Loud('main')",
        "a.py": LOUD + "x = Loud('a')",
    },
    **{
        f"own {name}": {
            "main.py": f"import {name}\nprint({name}.__file__)",
            f"{name}.py": "",
        }
        # Of these CPython has imported some before it looks, and finds some built in or frozen.
        for name in ("random", "json", "numpy", "string", "os", "abc", "time", "encodings", "site")
    },
    "own package": {
        "main.py": "import json, json.decoder\nprint(json.__file__, json.decoder.own)",
        "json/__init__.py": "",
        "json/decoder.py": "own = True",
    },
    "directory that is no package": {
        "main.py": "import json\nprint(json.__file__, json.dumps([]))",
        "json/data.txt": "",
    },
    "own module beside an entrypoint below": {
        "src/main.py": "import random, json\nprint(random.__file__, json.__file__)",
        "src/random.py": "",
        "json.py": "",
    },
}


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
    cold = json.loads(service.output(code, args=["a", "b c"], env=COLD))
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
    cold = service.run(code, env=COLD)
    for key in ("stdout", "stderr", "exit_code", "status"):
        assert warm[key] == cold[key]
    assert "finalized public" in warm["stdout"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_run_as_by_a_new_interpreter(service: Service, name: str) -> None:
    warm, cold = _warm_and_cold(service, {"main.py": PROGRAMS[name]})
    assert warm == cold


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_run_as_by_a_new_interpreter(service: Service, name: str) -> None:
    warm, cold = _warm_and_cold(service, PROJECTS[name])
    assert warm == cold


def _warm_and_cold(
    service: Service, files: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {
        "files": {
            path: text if isinstance(text, str) else {"base64": base64.b64encode(text).decode()}
            for path, text in files.items()
        },
        "entrypoint": next(iter(files)),
        "outputs": ["out"],
    }
    answers = []
    for env in ({}, COLD):
        response = service.client.post("/v1/run/python", json={**body, "env": env})
        assert response.status_code == 200, response.text
        answer = response.json()
        told = {key: answer[key] for key in ("status", "exit_code", "signal", "files")}
        for stream in ("stdout", "stderr"):
            told[stream] = re.sub("0x[0-9a-f]+", "0x", answer[stream])
        answers.append(told)
    return answers[0], answers[1]


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
