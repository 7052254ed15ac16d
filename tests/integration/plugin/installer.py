"""A package manager that is hostile: it tries to get out of its cell, and tells how that went.

Each requirement is a thing to try; what came of it is in the layer's report.
"""

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any

out, *requirements = sys.argv[1:]


def proxied(place: str) -> str:
    """The proxy's answer to a CONNECT."""
    host, _, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        sock.settimeout(10)
        return sock.recv(100).split(b"\r\n")[0].decode()


def tunnelled(place: str) -> list[str]:
    """What a server says through the proxy, to a word."""
    host, _, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(f"CONNECT {place} HTTP/1.1\r\n\r\n".encode())
        sock.settimeout(10)
        head = sock.recv(100)
        sock.sendall(b"word\n")
        sock.shutdown(socket.SHUT_WR)
        said = b""
        while data := sock.recv(100):
            said += data
        return [head.split(b"\r\n")[0].decode(), said.decode()]


def direct(place: str) -> str:
    """A connection past the proxy."""
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), 5):
        return "connected"


def resolve(name: str) -> str:
    return socket.gethostbyname(name)


def interfaces(_: str) -> list[str]:
    with open("/proc/net/dev") as file:
        return [line.split(":")[0].strip() for line in file if ":" in line]


def routes(_: str) -> list[str]:
    with open("/proc/net/route") as file:
        return file.read().splitlines()[1:]


def listen(_: str) -> str:
    """Take the proxy's place."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 3128))
    return "bound"


def see(_: str) -> dict[str, Any]:
    """What of the host is to be seen."""
    with open("/proc/self/mountinfo") as file:
        mounts = sorted(line.split()[4] for line in file)
    return {
        "mounts": [mount for mount in mounts if not mount.startswith("/proc/")],
        "box": sorted(os.listdir("/box")),
        "environment": sorted(os.environ),
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
        "certificates": open(os.environ["SSL_CERT_FILE"]).read().count("BEGIN"),
    }


def links(_: str) -> list[str]:
    """Things that are no regular files, and one that is."""
    os.symlink("/etc/passwd", f"{out}/link")
    os.symlink("/", f"{out}/root")
    os.symlink("../../..", f"{out}/up")
    os.mkfifo(f"{out}/fifo")
    os.makedirs(f"{out}/a/b")
    with open(f"{out}/a/b/c", "w") as file:
        file.write("kept")
    os.link(f"{out}/a/b/c", f"{out}/hard")
    os.chmod(f"{out}/a/b/c", 0o600)
    with open(f"{out}/setuid", "w") as file:
        file.write("x")
    os.chmod(f"{out}/setuid", 0o6777)
    return sorted(os.listdir(out))


def large(size: str) -> None:
    """More than may be brought back, without taking as much room."""
    with open(f"{out}/large", "w") as file:
        file.truncate(int(size))


def many(count: str) -> None:
    for number in range(int(count)):
        os.close(os.open(f"{out}/{number}", os.O_CREAT | os.O_WRONLY))


def changing(_: str) -> None:
    """A child that goes on writing when this is over."""
    child = (
        "import itertools, sys\nfor n in itertools.count():\n open(sys.argv[1], 'w').write(str(n))"
    )
    subprocess.Popen([sys.executable, "-c", child, f"{out}/changes"], start_new_session=True)
    while not os.path.exists(f"{out}/changes"):
        time.sleep(0.01)


def holding(place: str) -> None:
    """A child that keeps a tunnel open, does not read, and outlives this. Then fail."""
    host, _, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].partition(":")
    sock = socket.create_connection((host, int(port)), 10)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.sendall(f"CONNECT {place} HTTP/1.1\r\n\r\n".encode())
    time.sleep(1)
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
    os._exit(3)


def flood(count: str) -> list[int]:
    """Many connections at one time."""
    host, _, port = os.environ["HTTPS_PROXY"].rpartition("/")[2].partition(":")
    socks, answers = [], []
    for _ in range(int(count)):
        try:
            socks.append(socket.create_connection((host, int(port)), 2))
        except OSError:
            break
    for sock in socks:
        sock.settimeout(0.2)
        try:
            answers.append(sock.recv(20).decode())
        except TimeoutError:
            answers.append("waits")
        except OSError:
            answers.append("reset")
    return [len(socks), answers.count("waits")]


def stop(code: str) -> None:
    print("no such package", file=sys.stderr)
    sys.exit(int(code))


def wait(_: str) -> None:
    time.sleep(1000)


def eat(_: str) -> None:
    print(len(bytearray(1 << 32)))


def unlike(_: str) -> None:
    """Nothing: for requirements that nobody has asked for before."""


def package(name: str) -> None:
    with open(f"{out}/{name}.py", "w") as file:
        file.write(f"NAME = {name!r}\n")


report: dict[str, Any] = {}
for requirement in requirements:
    what, _, argument = requirement.partition("=")
    try:
        report[what] = globals()[what](argument)
    except OSError as error:
        report[what] = f"{type(error).__name__}: {error}"
with open(f"{out}/report.json", "w") as file:
    json.dump(report, file)
