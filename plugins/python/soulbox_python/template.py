"""CPython's template: cells are forked from it with the preloads imported.

Loaded by the launcher inside the container, so: standard library only, Python >= 3.9.
`preload` runs in the template; `refresh`, `rehearse` (if there is time) and `run` in each cell.

What a forked cell shares with its siblings, and cannot help sharing, is CPython's hash secret
and the address-space layout; everything else that a fresh `python3 main.py` would have to
itself is made fresh in `refresh`.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import importlib
import importlib.machinery
import io
import os
import random
import signal
import site
import sys
import threading
import time
import traceback
import types
from typing import Any

_REHEARSAL = """
def hello(name):
    return f"hello {name}"
try:
    print(hello("x"), [n * n for n in range(3)], {"a": 1.5}, flush=True)
    raise ValueError
except ValueError:
    pass
"""
_LAUNCHER_MODULES = ("launcher", "soulbox_template")
_INTERRUPTED = 130  # 128 + SIGINT, what a shell reports for CPython's death by Ctrl-C
_STDOUT_LOST = 120  # Py_FinalizeEx could not flush stdout


def preload(names: list[str]) -> dict[str, float]:
    """Import modules; return the seconds that each took.

    :raises ImportError: a module of the operator's list is not in the image
    """
    site.main()
    sys.dont_write_bytecode = True
    seconds = {}
    for name in names:
        start = time.perf_counter()
        importlib.import_module(name)
        seconds[name] = round(time.perf_counter() - start, 4)
    return seconds


def refresh() -> None:
    """Undo what forking shares: random state, and the sight of the launcher."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    for name in [n for n in sys.modules if n.partition(".")[0] in _LAUNCHER_MODULES]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry and not entry.startswith("/soulbox")]


def rehearse() -> None:
    """Compile and run a small program through the real stdout, which still is /dev/null."""
    _execute(_REHEARSAL, "rehearsal", types.ModuleType("__main__"))


def run(step: dict[str, Any]) -> int:
    """Run `step["entrypoint"]` as `__main__`, as `python3 entrypoint args...` would."""
    entrypoint = step["entrypoint"]
    path = os.path.join(os.getcwd(), entrypoint)
    _set_environment(step["env"])
    sys.argv = [entrypoint, *step["args"]]
    sys.orig_argv[:] = ["python3", entrypoint, *step["args"]]
    sys.path.insert(0, os.path.dirname(path))
    if step["live"]:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)
    signal.signal(signal.SIGRTMAX, _last_call)
    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    main.__dict__["__cached__"] = None
    if sys.version_info < (3, 14):  # since then it is made when first asked for (PEP 649)
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    with open(path, "rb") as file:
        source = file.read()
    code = _execute(source, path, main)
    return _finish(code, main)


def _set_environment(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    if "TZ" in env:
        time.tzset()


def _execute(source: str | bytes, path: str, main: types.ModuleType) -> int:
    """Return the exit code that CPython would give."""
    main.__dict__["__builtins__"] = builtins
    try:
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except SystemExit as error:
        return _exit_code(error.code)
    except BaseException as error:
        _show(error)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(code: object) -> int:
    """As handle_system_exit() in CPython's pythonrun.c."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    _flush(sys.stdout)
    print(code, file=sys.stderr)
    return 1


def _show(error: BaseException) -> None:
    """Print the traceback from the user's first frame on: ours is the one above it."""
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    error.__traceback__ = trace
    _flush(sys.stdout)
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException:  # a broken excepthook of the user's; CPython then uses its own
        traceback.print_exception(type(error), error, trace)


def _finish(code: int, main: types.ModuleType) -> int:
    """What Py_FinalizeEx does for the user, without tearing down the preloads page by page."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for non-daemon threads
    atexit._run_exitfuncs()
    _clear(main)
    if not _flush(sys.stdout) and code == 0:
        code = _STDOUT_LOST
    _flush(sys.stderr)
    return code


def _clear(main: types.ModuleType) -> None:
    """Drop the program's globals, so that their finalizers run, in CPython's order.

    See _PyModule_ClearDict: names with one leading underscore first, then the others.
    """
    names = main.__dict__
    for private in (True, False):
        for name in list(names):
            if name != "__builtins__" and name.startswith("_") is private:
                names[name] = None
    gc.collect(0)


def _last_call(*_: object) -> None:
    """The time is up: what was printed shall not be lost in our buffers."""
    _flush(sys.stdout)
    _flush(sys.stderr)
    os._exit(1)


def _flush(stream: Any) -> bool:
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: interrupted in the buffer itself
        return False
    return True
