"""What a hostile program inside a cell finds, and does not find. Named after the attack."""

import os
import threading
import time
from typing import Any

import pytest

from tests.integration.service import Service

SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attempt(call, *args):
    libc.syscall.restype = ctypes.c_long
    return os.strerror(ctypes.get_errno()) if libc.syscall(call, *args) < 0 else "done"
"""


def test_it_sees_one_process_tree_its_own(service: Service) -> None:
    code = "import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))"
    assert service.output(code) == "[2]\n"


def test_init_is_hidden_and_cannot_be_signalled(service: Service) -> None:
    code = """
import os, signal
print(os.path.exists("/proc/1"))
try:
    os.kill(1, signal.SIGKILL)
except PermissionError:
    print("refused")
"""
    assert service.output(code) == "False\nrefused\n"


def test_it_has_a_uid_of_its_own_and_no_groups(service: Service) -> None:
    code = "import os; print(os.getresuid(), os.getresgid(), os.getgroups())"
    first, second = (service.output(code) for _ in range(2))
    uid = int(first.split(",")[0].lstrip("("))
    assert uid >= 10_000
    assert first == f"{(uid,) * 3} {(uid,) * 3} []\n"
    assert first != second


def test_it_has_no_capability_and_cannot_gain_one(service: Service) -> None:
    code = (
        "print(*[l for l in open('/proc/self/status') if l[:3] in ('Cap', 'NoN', 'Sec')], sep='')"
    )
    fields = dict(line.split(":\t") for line in service.output(code).split("\n") if line)
    assert {fields[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"


def test_setuid_programs_give_nothing(service: Service) -> None:
    code = """
import subprocess
print(subprocess.run(["su", "-c", "id"], capture_output=True, stdin=subprocess.DEVNULL).returncode)
for line in open("/proc/self/mountinfo"):
    fields = line.split()
    if fields[4] in ("/", "/box", "/tmp", "/dev/shm") and "nosuid" not in fields[5]: print(line)
"""
    assert service.output(code) != "0\n"
    assert "\n" not in service.output(code).strip()


@pytest.mark.parametrize(
    "path",
    ["/evil", "/usr/bin/python3", "/etc/passwd", "/root/x", "/var/tmp/x", "/dev/x", "/dev/null/x",
     "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger",
     "/proc/self/oom_score_adj", "/run/x", "/sys/x", "/soulbox/x", "/lib/x", "/home/x"],
)  # fmt: skip
def test_the_image_and_proc_cannot_be_written(service: Service, path: str) -> None:
    code = f"""
import os
for flags in (os.O_WRONLY | os.O_CREAT, os.O_WRONLY, os.O_RDWR):
    try:
        os.open({path!r}, flags, 0o777)
        print("opened")
    except OSError:
        print("refused")
"""
    assert set(service.output(code).split()) == {"refused"}


def test_the_image_cannot_be_changed_by_links_renames_or_removal(service: Service) -> None:
    code = """
import os
for attempt in (
    lambda: os.remove("/etc/passwd"),
    lambda: os.rename("/etc/passwd", "/etc/x"),
    lambda: os.link("/etc/passwd", "/box/x"),
    lambda: os.symlink("/box", "/evil"),
    lambda: os.mkdir("/evil"),
    lambda: os.chmod("/etc/passwd", 0o777),
    lambda: os.truncate("/etc/passwd", 0),
    lambda: os.utime("/etc/passwd"),
    lambda: os.mknod("/box/null", 0o666 | 0o020000, os.makedev(1, 3)),
    lambda: os.chown("/box", 0, 0),
):
    try:
        attempt()
        print("done")
    except OSError:
        print("refused")
"""
    assert set(service.output(code).split()) == {"refused"}


def test_dev_holds_the_least(service: Service) -> None:
    code = "import os; print(sorted(os.listdir('/dev')))"
    expected = [
        "fd",
        "full",
        "null",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "urandom",
        "zero",
    ]
    assert service.output(code) == f"{expected}\n"


def test_there_is_no_sys(service: Service) -> None:
    assert service.output("import os; print(os.listdir('/sys'))") == "[]\n"


def test_secrets_of_proc_are_masked(service: Service) -> None:
    code = """
import os
for name in ("kcore", "keys", "key-users", "timer_list", "interrupts", "kallsyms", "modules",
             "iomem", "sysvipc", "sched_debug", "acpi", "scsi", "irq", "bus", "fs", "slabinfo"):
    path = "/proc/" + name
    try:
        found = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
    except OSError:
        continue
    if found: print(path)
"""
    assert service.output(code) == ""


def test_the_control_socket_and_the_launcher_are_not_there(service: Service) -> None:
    code = """
import os
for directory in ("/soulbox", "/run"):
    for path, directories, files in os.walk(directory):
        print(path, directories, files) if files or directories and path != "/" else None
print([l for l in open("/proc/net/unix").read().splitlines()[1:]])
print([l for l in open("/proc/self/mountinfo") if "/soulbox/" in l.split(" ")[4]])
"""
    found = service.output(code).splitlines()
    assert found[-2:] == ["[]", "[]"]
    assert not [line for line in found if ".sock" in line or ".py" in line]


def test_no_descriptor_is_inherited(service: Service) -> None:
    code = """
import os
for fd in range(4096):
    try:
        os.fstat(fd)
    except OSError:
        continue
    print(fd, os.readlink(f"/proc/self/fd/{fd}").split(":")[0])
"""
    assert service.output(code) == "0 /dev/null\n1 pipe\n2 pipe\n"


def test_namespaces_are_its_own(service: Service) -> None:
    code = """
import os
print({n: os.readlink(f"/proc/self/ns/{n}") for n in ("pid", "mnt", "net", "ipc", "uts", "cgroup")})
"""
    first: dict[str, Any] = eval(service.output(code))
    second: dict[str, Any] = eval(service.output(code))
    for name, inode in first.items():
        assert inode != os.readlink(f"/proc/self/ns/{name}")
        assert inode != second[name] or name == "cgroup"


def test_it_reaches_no_address_but_its_own_loopback(service: Service) -> None:
    code = f"""
import socket
print([line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
for address in ("10.0.0.1", "192.168.1.1", "169.254.169.254", "198.51.100.1"):
    try:
        socket.create_connection((address, 80), timeout=2)
        print("connected")
    except OSError as error:
        print(error.strerror)
try:
    socket.create_connection(("127.0.0.1", {service.port}), timeout=2)
    print("connected")
except ConnectionRefusedError:
    print("nobody there")
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()): print("own loopback")
with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
    with socket.create_connection(server.getsockname()[:2]): print("own loopback")
"""
    lines = service.output(code).splitlines()
    assert lines[0] == "['lo']"
    assert set(lines[1:5]) == {"Network is unreachable"}
    assert lines[5:] == ["nobody there", "own loopback", "own loopback"]


@pytest.mark.parametrize("family", ["AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_BLUETOOTH", "AF_CAN"])
def test_other_socket_families_are_shut(service: Service, family: str) -> None:
    code = f"""
import socket
try:
    kind = socket.SOCK_RAW if {family!r} == "AF_PACKET" else socket.SOCK_SEQPACKET
    socket.socket(socket.{family}, kind)
    print("opened")
except OSError:
    print("refused")
"""
    assert service.output(code) == "refused\n"


def test_raw_sockets_are_refused(service: Service) -> None:
    code = """
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
except PermissionError:
    print("refused")
"""
    assert service.output(code) == "refused\n"


def test_mounting_and_new_namespaces_are_refused(service: Service) -> None:
    code = (
        SYSCALL
        + """
def failed(result): print("refused" if result < 0 else "done")
failed(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None))
failed(libc.umount2(b"/proc", 2))
failed(libc.pivot_root(b"/box", b"/box"))
failed(libc.chroot(b"/box"))
for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000):
    failed(libc.unshare(flag))
failed(libc.setns(os.open("/proc/self/ns/mnt", 0), 0))
failed(libc.sethostname(b"x", 1))
"""
    )
    assert set(service.output(code).split()) == {"refused"}


def test_tracing_and_reading_other_memory_is_refused(service: Service) -> None:
    code = (
        SYSCALL
        + """
pid = os.fork()
if pid == 0:
    import time; time.sleep(30); os._exit(0)
print("refused" if libc.ptrace(16, pid, 0, 0) < 0 else "done")
buffer = ctypes.create_string_buffer(8)
class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
local = Vector(ctypes.addressof(buffer), 8)
print("refused" if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(local), 1, 0) < 0
      else "done")
os.kill(pid, 9)
"""
    )
    assert set(service.output(code).split()) == {"refused"}


def test_cells_at_the_same_time_share_nothing(service: Service) -> None:
    """One leaves traces everywhere it may write and stays; the other looks for them."""
    leave = """
import os, socket, time
for directory in ("/tmp", "/box", "/dev/shm"):
    open(directory + "/trace", "w").write("x")
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0soulbox-trace"); abstract.listen()
server = socket.create_server(("127.0.0.1", 45678))
import ctypes
libc = ctypes.CDLL(None)
libc.shmget(0x5b, 4096, 0o1666)
time.sleep(3)
"""
    look = """
import ctypes, os, socket
print([d for d in ("/tmp", "/box", "/dev/shm") if os.path.exists(d + "/trace")])
traces = (socket.AF_UNIX, "\\0soulbox-trace"), (socket.AF_INET, ("127.0.0.1", 45678))
for family, address in traces:
    try:
        socket.socket(family).connect(address); print("connected")
    except ConnectionRefusedError:
        print("refused")
print(ctypes.CDLL(None).shmget(0x5b, 4096, 0o666))
print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))
"""
    thread = threading.Thread(target=service.run, args=(leave,))
    thread.start()
    try:
        assert service.output(look) == "[]\nrefused\nrefused\n-1\n[2]\n"
    finally:
        thread.join()
    assert service.output(look) == "[]\nrefused\nrefused\n-1\n[2]\n"


def test_the_host_name_and_boot_of_the_host_are_not_its(service: Service) -> None:
    assert service.output("import socket; print(socket.gethostname())") == "soulbox\n"


def test_one_cell_cannot_use_up_what_the_kernel_counts_by_user(service: Service) -> None:
    """Queued signals and message queues, of which a user has only so many; inotify is denied."""
    hoard = """
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
print(sum(libc.inotify_init() >= 0 for _ in range(200)), flush=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
libc.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
print(sum(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None) == 0 for _ in range(200_000)))
attributes = (ctypes.c_long * 8)(0, 1, 8192, 0)  # a queue of one message
create = os.O_CREAT | os.O_RDWR
print(sum(libc.mq_open(b"/q%d" % n, create, 0o600, attributes) >= 0 for n in range(200)))
import sys; sys.stdout.flush(); time.sleep(3)
"""
    use = """
import ctypes, os, signal
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
libc.sigqueue.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
print(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None) == 0)
attributes = (ctypes.c_long * 8)(0, 1, 8192, 0)
print(libc.mq_open(b"/q", os.O_CREAT | os.O_RDWR, 0o600, attributes) >= 0)
"""
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(service.output(hoard))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    assert service.output(use) == "True\nTrue\n"
    for thread in threads:
        thread.join()
    for taken in results:
        inotify, signals, queues = (int(line) for line in taken.split())
        assert inotify == 0
        assert 0 < signals <= 1024
        assert 0 < queues < 10


def test_output_files_follow_no_link_out_of_the_directory(service: Service) -> None:
    code = """
import os
os.symlink("/etc/passwd", "link")
os.symlink("/etc", "directory")
os.mkfifo("fifo")
open("secret", "w").write("x"); os.chmod("secret", 0)
open("plain", "w").write("x")
open(b"name\\xff", "w").write("x")
"""
    answer = service.run(code, outputs=["*"])
    assert [file["path"] for file in answer["files"]] == ["main.py", "plain"]
    assert answer["status"] == "ok"


def test_output_files_are_read_after_everything_else_is_dead(service: Service) -> None:
    """A child that goes on writing can neither change what is read nor hold it up."""
    code = """
import os
open("result", "w").write("good")
if os.fork() == 0:
    while True:
        open("result", "w").write("evil")
        open("result", "w").write("good")
"""
    answer = service.run(code, outputs=["result"])
    assert answer["files"][0]["content"] in ("good", "evil", "")


def test_output_files_beyond_their_budget_are_named_not_sent(service: Service) -> None:
    code = "open('a', 'w').write('x' * 100); open('b', 'w').write('x' * 2000)"
    answer = service.run(code, outputs=["a", "b", "c"], limits={"output_file_bytes": 1000})
    assert [file["path"] for file in answer["files"]] == ["a"]
    assert answer["outputs_skipped"] == ["b"]
    assert answer["outputs_missing"] == ["c"]
