"""PID 1 of a container."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import socket
import sys
from typing import Any, cast

from . import forge, jail, kernel, program, warden, wire

CONTROL_SOCKET = "/soulbox/control/launcher.sock"
TEMPLATE_FILE = "/soulbox/template.py"


def main() -> None:
    """Connect to the core, take the setup frame, and forge cells until the core hangs up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        control.connect(CONTROL_SOCKET)
        _, (seccomp_file, warden_socket) = wire.receive(control)
        with open(seccomp_file, "rb") as file:
            seccomp = file.read()
        tree = jail.Jail()
        launcher = forge.Forge(control, program.Executor(), seccomp, tree)
        launcher.handle("template", _TemplateMaker(launcher, seccomp, tree))
        _settle_memory()
        launcher.fork(lambda: _be_warden(warden_socket))
        os.close(warden_socket)
        wire.send(control, {"op": "ready", "python": list(sys.version_info[:3])})
        launcher.serve()


def _be_warden(descriptor: int) -> int:
    kernel.close_all_but(descriptor)
    with socket.socket(fileno=descriptor) as control:
        warden.serve(control)
    return 0


class _TemplateMaker:
    """Forks a process that loads the template file, preloads, and becomes a forge itself."""

    def __init__(self, launcher: forge.Forge, seccomp: bytes, tree: jail.Jail) -> None:
        self._launcher = launcher
        self._seccomp = seccomp
        self._tree = tree

    def __call__(self, request: dict[str, Any], descriptors: list[int]) -> None:
        (control,) = descriptors
        self._launcher.fork(lambda: self._be_template(control, request))
        os.close(control)

    def _be_template(self, descriptor: int, request: dict[str, Any]) -> int:
        kernel.close_all_but(descriptor)
        with socket.socket(fileno=descriptor) as control:
            os.environ.update(request["env"])  # before the preloads: some read it only once
            try:
                runner, report = _load_template(request["preloads"])
            except Exception as error:  # whatever an operator's preload raises is to be told
                wire.send(control, {"op": "failed", "error": f"{type(error).__name__}: {error}"})
                return 1
            wire.send(control, {"op": "ready", "preloaded": report})
            _settle_memory()
            forge.Forge(control, runner, self._seccomp, self._tree).serve()
        return 0


def _settle_memory() -> None:
    """Let no collector pass touch what is there now: a forked child would copy those pages."""
    gc.collect()
    gc.freeze()


def _load_template(preloads: list[str]) -> tuple[program.Runner, Any]:
    spec = importlib.util.spec_from_file_location("soulbox_template", TEMPLATE_FILE)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {TEMPLATE_FILE}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    report = module.preload(preloads)
    return cast(program.Runner, module), report
