"""CPython's template: cells are forked from it with the preloads imported.

Loaded by the launcher inside the container, so: standard library only, Python >= 3.9.
`preload` runs in the template; `refresh`, `rehearse` (if there is time) and `run` in each cell.

What a forked cell shares with its siblings, and cannot help sharing, is CPython's hash secret
and the address-space layout. Everything else shall be as a fresh `python3 main.py` would have
it: `refresh` and `run` see to the beginning, `_report` and `_finish` to the end, for which
CPython has no function that could be called. They follow Python/pythonrun.c and
Python/pylifecycle.c of CPython 3.13, whose functions the comments name.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import ctypes
import gc
import importlib
import io
import os
import random
import signal
import site
import stat
import sys
import time
import types
import weakref
from atexit import _run_exitfuncs
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder, SourceFileLoader
from typing import Any

# A program may replace whatever it can reach, such as os._exit, sys.stdout or len. What ends it
# holds on to what was there before, and has builtins of its own.
globals()["__builtins__"] = dict(vars(builtins))
_OS = {name: getattr(os, name) for name in ("_exit", "getpid", "kill", "open", "write")}
_STREAMS = (sys.stdout, sys.stderr)
_settrace, _setprofile = sys.settrace, sys.setprofile
_display = sys.__excepthook__
# Made by CPython alone, and not to be had by name.
_Unraisable: Any = next(t for t in tuple.__subclasses__() if t.__name__ == "UnraisableHookArgs")
_gc_callbacks = gc.callbacks
_collect, _collects = gc.collect, gc.isenabled
_set_signal = signal.signal

_REHEARSAL = """
def hello(name):
    return f"hello {name}"
try:
    print(hello("x"), [n * n for n in range(3)], {"a": 1.5}, flush=True)
    raise ValueError
except ValueError:
    pass
"""
# The first use of a large module touches thousands of pages; better before the program than in it.
_USES = {
    "numpy": "import numpy\nnumpy.arange(3).sum()\n",
    "pandas": "import pandas\npandas.DataFrame({'a': [1, 2], 'b': [3.5, 4]}).a.sum()\n",
}
_RESEEDED = ("numpy.random", "sympy.core.random")
"""Modules besides `random` with random state of their own, and a `seed` that makes it afresh."""
_NEEDLESS = (
    ("PIL.Image", "core.clear_cache"),
    ("certifi.core", "exit_cacert_ctx"),
    ("matplotlib._pylab_helpers", "Gcf.destroy_all"),
    ("openpyxl.worksheet._writer", "_openpyxl_shutdown"),
)
"""Exit functions of preloads that free what ends with the cell anyway."""
_LAUNCHER_MODULES = ("launcher", "soulbox_template")
_STDOUT_LOST = 120  # Py_FinalizeEx could not flush
_NOT_SHADOWED = ("__main__", "encodings", "sitecustomize")
"""Beside what is built in or frozen, what CPython has imported before it looks at the program."""
_IMAGE = sys.prefix + "/"
_USER_SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
_MADV_COLLAPSE = 25
_hidden: list[str] = []
"""Names of the launcher's modules."""
_BUFFERED = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


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
    _forgo_exit_functions()
    # Found here, not in each cell: to go through thousands of names touches the pages of all.
    _hidden.extend(name for name in sys.modules if name.partition(".")[0] in _LAUNCHER_MODULES)
    if names:
        _use_huge_pages()
    return seconds


def _forgo_exit_functions() -> None:
    """They would be called at the end of every program, whether or not it used the preload."""
    for module, name in _NEEDLESS:
        function: Any = sys.modules.get(module)
        for part in name.split("."):
            function = getattr(function, part, None)  # another version may have none of that name
        atexit.unregister(function)


def _use_huge_pages() -> None:
    """Put what the preloads hold on huge pages, of which a fork copies one entry and not 512.

    A kernel that cannot (before Linux 6.1, or short of huge pages) leaves all as it was.
    """
    madvise = ctypes.CDLL(None).madvise
    with open("/proc/self/maps") as maps:
        regions = [line.split() for line in maps]
    for addresses, permissions, _, _, _, *name in regions:
        if "w" in permissions and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)


def refresh() -> None:
    """Undo what forking shares: random state and keys, and the sight of the launcher."""
    random.seed()
    for name in _RESEEDED:
        if name in sys.modules:
            sys.modules[name].seed()
    multiprocessing: Any = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None:
        multiprocessing.current_process().authkey = os.urandom(32)
    for name in _hidden:
        sys.modules.pop(name, None)
    sys.path[:] = [entry for entry in sys.path if entry and not entry.startswith("/soulbox")]


def rehearse() -> None:
    """Do what `run` will do, with a small program and the real stdout, which still is /dev/null."""
    _set_environment(dict(os.environ))
    _unload_shadowed(os.getcwd())
    uses = "".join(use for name, use in _USES.items() if name in sys.modules)
    _execute(_REHEARSAL + uses, "rehearsal", _new_main("rehearsal"))
    _flush_standard()
    _forget(["__main__"])
    _collect()


def run(step: dict[str, Any]) -> int:
    """Run `step["entrypoint"]` as `__main__`, as `python3 entrypoint args...` would."""
    entrypoint = step["entrypoint"]
    path = os.path.join(os.getcwd(), entrypoint)
    _set_environment(step["env"])
    sys.argv = [entrypoint, *step["args"]]
    sys.orig_argv = ["python3", entrypoint, *step["args"]]
    if step.get("dependencies"):
        _use_dependencies(step)
    directory = os.path.dirname(path)
    sys.path.insert(0, directory)
    _unload_shadowed(directory)
    if step["live"]:
        for stream in _STREAMS:
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)
    signal.signal(signal.SIGRTMAX, _last_call)
    with open(path, "rb") as file:
        source = file.read()
    newest = next(reversed(sys.modules))
    code = _finish(_execute(source, path, _new_main(path)), newest)
    vars(os).update(_OS)  # the launcher, above us on the stack, ends the process with these
    if code < 0:
        _die_of(-code)
    return code & 0xFF


def _set_environment(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    if "TZ" in env:
        time.tzset()


def _use_dependencies(step: dict[str, Any]) -> None:
    """Put the request's own packages where a user's are, between the library and the image's.

    What is in memory in another version cannot be taken back, least of all extension modules:
    such a program gets an interpreter of its own.
    """
    directory = os.path.join(step["dependencies"], _USER_SITE)
    if not os.path.isdir(directory):
        return  # the image had them all
    if any(_is_preloaded(entry.partition(".")[0]) for entry in os.listdir(directory)):
        unbuffered = {"PYTHONUNBUFFERED": "1"} if step["live"] else {}
        argv = step["argv"]
        os.execvpe(argv[0], argv, {**step["env"], **unbuffered})  # noqa: S606, without a shell
    site.USER_BASE, site.USER_SITE = step["dependencies"], directory
    images = site.getsitepackages()
    position = next((i for i, entry in enumerate(sys.path) if entry in images), len(sys.path))
    later = sys.path[position:]
    del sys.path[position:]
    site.addsitedir(directory)
    sys.path.extend(later)


def _is_preloaded(name: str) -> bool:
    """Whether a module comes from where the image has packages; the library's own come first."""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return any(file.startswith(entry + "/") for entry in site.getsitepackages())


def _unload_shadowed(directory: str) -> None:
    """Forget the modules that a fresh interpreter would find beside the program instead."""
    for entry in os.listdir(directory):
        name = entry.partition(".")[0]
        if name in sys.modules and _is_shadowed(name, directory):
            for loaded in [n for n in sys.modules if n == name or n.startswith(name + ".")]:
                del sys.modules[loaded]


def _is_shadowed(name: str, directory: str) -> bool:
    if name in _NOT_SHADOWED or BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name):
        return False
    spec = PathFinder.find_spec(name, [directory])
    # A directory without __init__.py has no loader, and gives way to any module on sys.path.
    return spec is not None and spec.loader is not None


def _new_main(path: str) -> types.ModuleType:
    """As add_main_module() and _PyRun_SimpleFile()."""
    main = types.ModuleType("__main__")
    main.__loader__ = SourceFileLoader("__main__", path)
    if sys.version_info < (3, 14):  # since then it is made when first asked for (PEP 649)
        main.__annotations__ = {}
    main.__dict__["__builtins__"] = builtins
    main.__file__ = path
    main.__dict__["__cached__"] = None
    sys.modules["__main__"] = main
    return main


def _execute(source: str | bytes, path: str, main: types.ModuleType) -> int:
    """Return the exit code that CPython would give, or minus the signal that it would die of.

    The error is reported outside of any `except`: while the program's hooks run for it, CPython
    handles no exception that theirs could be chained to.
    """
    failure = None
    try:
        exec(_compile(source, path), main.__dict__)  # noqa: S102, running it is the point
    except BaseException as error:
        failure = error
    try:
        # The program's hooks end with it; CPython would let them see its exit functions, too.
        _setprofile(None)
        _settrace(None)
        _flush_quietly(getattr(sys, "stderr", None), getattr(sys, "stdout", None))
        return 0 if failure is None else _report(failure)
    except BaseException:  # the error itself is hostile, or a signal came in
        return 1
    finally:
        if not isinstance(failure, SystemExit):
            main.__dict__.pop("__file__", None)
            main.__dict__.pop("__cached__", None)
        del failure  # it refers to this frame


def _compile(source: str | bytes, path: str) -> types.CodeType:
    """Compile, or let a fresh interpreter tell what is wrong.

    CPython reads a program by another path than `compile` does, and words what is wrong with
    its encoding differently.
    """
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        if not _is_plain(source):
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606, ours, without a shell
        raise


def _is_plain(source: str | bytes) -> bool:
    if isinstance(source, str):
        return True
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in source and b"coding" not in b"".join(source.split(b"\n", 2)[:2])


def _report(error: BaseException) -> int:
    """As PyErr_PrintEx(): show an error, or do as SystemExit says. Return the exit code."""
    if isinstance(error, SystemExit):
        return _exit_code(error)
    trace = _cut(error)
    sys.last_exc = sys.last_value = error  # type: ignore[attr-defined, unused-ignore]  # since 3.12
    sys.last_type, sys.last_traceback = type(error), trace
    if not hasattr(sys, "excepthook"):
        _tell("sys.excepthook is missing\n")
        _display(type(error), error, trace)
        return 1
    failure = None
    try:
        sys.excepthook(type(error), error, trace)
    except BaseException as second:
        failure = second
    if isinstance(failure, SystemExit):
        return _exit_code(failure)
    if failure is not None:
        _tell("Error in sys.excepthook:\n")
        _display(type(failure), failure, _cut(failure))
        _tell("\nOriginal exception was:\n")
        _display(type(error), error, trace)
    return -signal.SIGINT if type(error) is KeyboardInterrupt else 1


def _exit_code(error: SystemExit) -> int:
    """As _Py_HandleSystemExit()."""
    try:
        code: object = error.code
    except BaseException:  # a property of a subclass
        code = error
    if code is None:
        return 0
    if isinstance(code, int):
        number = int.__index__(code)
        return number & 0xFF if -(1 << 63) <= number < 1 << 63 else 0xFF
    try:
        if getattr(sys, "stderr", None) is None:
            _tell(str(code))
        else:
            sys.stderr.write(str(code))
    except BaseException:  # noqa: S110, as CPython does
        pass
    _tell("\n")
    return 1


def _cut(error: BaseException) -> types.TracebackType | None:
    """Let an error's traceback begin with the program's first frame: ours are above it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace
    return trace


def _tell(text: str) -> None:
    """As PySys_WriteStderr(): to sys.stderr, or failing that to the descriptor."""
    try:
        sys.stderr.write(text)
    except BaseException:  # the program may have put anything there
        try:
            _OS["write"](2, text.encode(errors="backslashreplace"))
        except OSError:
            return


def _tell_ignored(error: BaseException, where: str) -> None:
    """As PyErr_FormatUnraisable()."""
    message = f"Exception ignored {where}"
    try:
        sys.unraisablehook(_Unraisable((type(error), error, _cut(error), message, None)))
    except BaseException:  # the hook may be the program's
        return


def _finish(code: int, newest: str) -> int:
    """What Py_FinalizeEx() does for the program, without tearing the preloads down page by page.

    :param newest: the last module in sys.modules that the program has not imported
    """
    try:
        _await_threads()
        _run_exitfuncs()
        if not _flush_standard() and code >= 0:
            code = _STDOUT_LOST
        if _collects():
            _collect()
        if _thread._count() == 0:
            _clear(newest)
        else:
            # Daemon threads. CPython has stopped them by now; here they run on, and nothing may
            # be taken away under their feet.
            _flush_files()
    except BaseException:  # a signal's handler or a monitor of the program's, in our own code
        _flush_quietly(*_STREAMS)
        return code
    _flush_quietly(*_STREAMS)
    return code


def _await_threads() -> None:
    """As wait_for_thread_shutdown()."""
    try:
        module: Any = sys.modules.get("threading")
        if module is not None:
            module._shutdown()
    except BaseException as error:
        _tell_ignored(error, "on threading shutdown")


def _flush_standard() -> bool:
    """As flush_std_files(); return whether all that was printed has gone out."""
    complete = True
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        try:
            if stream is not None and not _is_closed(stream):
                stream.flush()
        except BaseException as error:
            complete = False
            if name == "stdout":
                _tell_ignored(error, "on flushing sys.stdout")
    return complete


def _is_closed(stream: Any) -> bool:
    try:
        return bool(stream.closed)
    except BaseException:  # a program's own class need not have it
        return False


def _flush_quietly(*streams: Any) -> None:
    for stream in streams:
        try:
            stream.flush()
        except BaseException:  # noqa: S112, whatever a program's own class raises
            continue


def _flush_files() -> None:
    """Write what is buffered for regular files; for a pipe's reader we might wait for ever."""
    for thing in gc.get_objects():
        if issubclass(type(thing), _BUFFERED):
            try:
                if stat.S_ISREG(os.fstat(thing.fileno()).st_mode):
                    thing.flush()
            except (OSError, ValueError):
                continue


class _Token:
    """Lies among a module's names; while it lives, they have not been collected."""

    __slots__ = ("__weakref__",)


def _clear(newest: str) -> None:
    """Drop what the program made, so that its finalizers run; as finalize_modules().

    What the program's modules hold is left to the collector, as CPython leaves it. What
    survives, because something of ours or of a preload's refers to it, is cleared name by name.
    """
    _gc_callbacks.clear()
    sys.last_exc = None  # type: ignore[attr-defined, unused-ignore]  # since 3.12
    sys.last_type = sys.last_value = sys.last_traceback = None
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, name, getattr(sys, f"__{name}__", None))
    tokens = _forget(["__main__", *_program_modules(newest)])
    _collect()
    survivors = [token for token in (reference() for reference in reversed(tokens)) if token]
    for token in survivors:
        _clear_names_around(token)
    if survivors:
        _collect()


def _program_modules(newest: str) -> list[str]:
    """The modules that the program has imported, but for those of the image."""
    names = []
    for name in reversed(sys.modules):
        if name == newest:
            break
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and not file.startswith(_IMAGE):
            names.append(name)
    return names[::-1]


def _forget(modules: list[str]) -> list[weakref.ref[_Token]]:
    """Drop modules, leaving a token among the names of each."""
    tokens = []
    for name in modules:
        module = sys.modules.get(name)
        if isinstance(module, types.ModuleType):
            token = vars(module)[""] = _Token()
            tokens.append(weakref.ref(token))
            sys.modules[name] = None  # type: ignore[assignment]  # as import(lib) itself allows
    return tokens


def _clear_names_around(token: _Token) -> None:
    """As _PyModule_ClearDict(): names with one leading underscore first, then the others."""
    for names in gc.get_referrers(token):
        if isinstance(names, dict) and names.get("") is token:
            for private in (True, False):
                for name in list(names):
                    single = name.startswith("_") and not name.startswith("__")
                    if name != "__builtins__" and single is private:
                        names[name] = None


def _die_of(number: int) -> None:
    """As exit_sigint(): let the parent see what ended the program."""
    try:
        _set_signal(number, signal.SIG_DFL)
        _OS["kill"](_OS["getpid"](), number)
    except BaseException:  # ValueError, for one: this may be a thread that the program forked
        return


def _last_call(*_: object) -> None:
    """The time is up: what was printed shall not be lost in our buffers."""
    _flush_quietly(getattr(sys, "stdout", None), getattr(sys, "stderr", None), *_STREAMS)
    _OS["_exit"](1)
