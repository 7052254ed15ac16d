"""Inside the machine, in a checkout: start scripts/serve, do what a reader of the README does, in
every language, and end it by Ctrl-C. Fails if anything is not as the README says.
"""

import json
import os
import re
import signal
import subprocess
from typing import Any

URL = "http://localhost:8000/v1/run"
HELLOS = """\
import json, os
from soulbox_core import registry, settings
languages = registry.load(settings.load(env=os.environ)).languages
print(json.dumps({name: one.hello for name, one in languages.items()}))
"""
PROGRAM = os.path.expanduser("~/.local/share/soulbox") if os.getuid() else "/opt/soulbox"
"""Where scripts/serve puts SoulBox."""
AMPLE = "memory_bytes=1073741824&cpu_seconds=110&wall_seconds=290&processes=256"
"""Limits within the ceilings which no hello comes near, however slow the machine is."""
BOMB = """\
import os, time
try:
    while os.fork():
        pass
    time.sleep(100)
except OSError:
    print("no more")
"""


def main() -> None:
    """Serve, visit, stop."""
    service = subprocess.Popen(
        ["scripts/serve"], stdout=subprocess.PIPE, text=True, process_group=0
    )
    try:
        command = printed(service)
        check("the command that it printed", json.loads(output("sh", "-c", command)))
        key = re.search(r'"authorization: Bearer ([^"]+)"', command)
        assert key is not None
        visit(output("sh", "-c", f'printf %s "{key[1]}"'))
    finally:
        os.killpg(service.pid, signal.SIGINT)  # to the whole group, as a terminal does it
        code = service.wait()
    assert code == 0, code


def printed(service: "subprocess.Popen[str]") -> str:
    """The curl command that scripts/serve prints when it is ready. It may have several lines."""
    assert service.stdout is not None
    command = ""
    for line in service.stdout:
        print(line, end="", flush=True)
        if command or line.startswith("  curl "):
            command += line
        if re.search(r"/v1/run/\w+$", command):
            return command
    raise AssertionError("scripts/serve ended early")


def visit(key: str) -> None:
    """A hello within limits in every language, and programs that do not keep theirs."""
    for language, program in json.loads(
        output(f"{PROGRAM}/venv/bin/python3", "-c", HELLOS)
    ).items():
        answer = run(key, f"{language}?{AMPLE}", program)
        check(language, answer)
        assert answer["usage"]["memory_peak_bytes"] > 0
    ample = "wall_seconds=290&cpu_seconds=110"
    hungry = run(key, f"python?{ample}&memory_bytes=67108864", "x = bytearray(1 << 30)")
    check("too much memory", hungry, "memory_exceeded", "")
    busy = run(key, "python?wall_seconds=290&cpu_seconds=1", "while True: pass")
    check("too much time", busy, "cpu_time_exceeded", "")
    assert busy["usage"]["cpu_seconds"] >= 1
    many = run(key, f"python?{ample}&processes=16", BOMB)
    check("too many processes", many, "ok", "no more\n")


def run(key: str, where: str, program: str) -> Any:
    """Send a program as the README does."""
    header = f"authorization: Bearer {key}"
    argv = ("curl", "-sS", "-H", header, "--data-binary", "@-", f"{URL}/{where}")
    return json.loads(output(*argv, stdin=program))


def output(*argv: str, stdin: str = "") -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def check(what: str, answer: Any, status: str = "ok", stdout: str = "Hello, World!\n") -> None:
    """Show what came, and end here if it is not what should."""
    print(f"{what}: {json.dumps(answer)}", flush=True)
    assert (answer["status"], answer["stdout"]) == (status, stdout)


if __name__ == "__main__":
    main()
