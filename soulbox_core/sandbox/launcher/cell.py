"""A cell from the inside: into its namespaces and out of every privilege, parked, then run."""

from __future__ import annotations

import os
import socket
from typing import Any

from . import boot, jail, kernel, program, wire

_ENTERED = kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWNET
_HOSTNAME = b"soulbox"
_EX_SOFTWARE = 70  # sysexits.h
_EGRESS = ("127.0.0.1", 3128)
_NETWORK = (
    # Socket memory that the kernel charges to nobody (Documentation/admin-guide/sysctl/net.rst,
    # Documentation/networking/ip-sysctl.rst): copies of packets for their time stamps, and what
    # connections received that nobody has accepted.
    ("core/tstamp_allow_data", "0"),
    ("core/somaxconn", "64"),
    ("ipv4/tcp_rmem", "4096 16384 262144"),
)


def main(
    sock: socket.socket,
    init: int,
    leaf: list[int],
    stdio: list[int],
    spec: dict[str, Any],
    seccomp: bytes,
    runner: program.Runner,
    tree: jail.Jail,
) -> int:
    """Be the cell's second process; return the exit code if the program ends in it.

    :param sock: the cell's socket to the core
    :param init: pidfd of the cell's first process, whose PID namespace we were forked into
    :param leaf: descriptors of the cgroup.procs files to join, one per hierarchy
    :param stdio: standard descriptors of a runtime that is to be booted, or none
    """
    own_pid = os.getpid()
    try:
        for_the_core = _enter(init, leaf, spec, tree)
        program.become_harmless(spec["uid"], spec["rlimits"], seccomp)
        if spec["boot"]:
            return boot.main(sock, for_the_core, stdio, spec["boot"])
        step, stdio = program.park(sock, for_the_core, runner, rehearse=spec["rehearse"])
        code = program.run(step, stdio, runner)
    except wire.Closed:
        return 0
    except BaseException as error:
        # The outermost frame of a forked process: nothing may unwind into the forge's loop.
        _complain(sock, error)
        return _EX_SOFTWARE
    # A child that the program forked comes back here, too, and is not the program's end.
    if code == 0 and os.getpid() == own_pid:
        jail.report_success()
    return code


def enter_namespaces(init: int) -> None:
    """Move into the cell's namespaces, but for the PID namespace: that is for children."""
    kernel.setns(init, _ENTERED)


def _enter(init: int, leaf: list[int], spec: dict[str, Any], tree: jail.Jail) -> tuple[int, ...]:
    """Go in, and return descriptors for the core: of the exit FIFO, the scratch space, the egress.

    Join the leaf first: the cgroup namespace takes its root from where we are.
    """
    for procs in leaf:
        os.write(procs, b"0")
        os.close(procs)
    os.setsid()  # or kill(0) would reach the launcher's group, and with it other cells
    enter_namespaces(init)
    os.close(init)
    kernel.unshare(kernel.CLONE_NEWCGROUP)
    _bound_sockets()
    kernel.loopback_up()
    _name_machine()
    egress = (_listen(),) if spec["egress"] else ()
    inside = tree.enter(
        spec["uid"],
        spec["scratch_bytes"],
        volumes=spec["volumes"],
        hidden=spec["hidden"],
        trust=spec["egress"],
    )
    kernel.drop_bounding_set()
    return (*inside, *egress)


def _name_machine() -> None:
    """Where all of SoulBox is in a container, that one's seccomp filter may let nobody give names;
    the cell then sees the container's."""
    try:
        kernel.sethostname(_HOSTNAME)
    except PermissionError:
        return


def _listen() -> int:
    """Open the way out: a socket in the cell's network that the core will accept on."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(_EGRESS)
    listener.listen()
    return listener.detach()


def _bound_sockets() -> None:
    """Written by who still may, while /proc is the container's; the cell's own is read-only.

    Older kernels have some of these for the whole host only.
    """
    for name, value in _NETWORK:
        try:
            with open(f"/proc/sys/net/{name}", "w") as file:
                file.write(value)
        except (FileNotFoundError, PermissionError):
            continue


def _complain(sock: socket.socket, error: BaseException) -> None:
    """Tell the core, or once its socket is closed and the step began, the step's stderr."""
    message = f"the cell failed: {type(error).__name__}: {error}"
    try:
        wire.send(sock, {"op": "broken", "error": message})
    except (OSError, wire.Closed):
        os.write(2, f"soulbox: {message}\n".encode())
