"""A compile helper that does as the request's argv says. `NUMBER` is which of them it is."""

import base64
import json
import os
import sys
import time
from typing import Any

OUT_OF_MEMORY = 137
NUMBER = int(os.environ["NUMBER"])


def say(**answer: object) -> None:
    print(json.dumps(answer), flush=True)


def content(size: int) -> str:
    return base64.b64encode(b"x" * size).decode()


def start(how: str, gate: str) -> None:
    while gate and NUMBER > 1 and not os.path.exists(gate):
        time.sleep(0.005)
    if how == "dies":
        sys.exit("cannot find the compiler")
    if how == "dies_once" and NUMBER == 1:
        sys.exit("cannot find the compiler")
    if how == "dies_idle" and NUMBER == 1:
        say(ready=True)
        sys.exit("tired")
    if how == "says_hello":
        print("hello", flush=True)
        time.sleep(3600)
    if how == "hangs":
        time.sleep(3600)
    say(ready=True)


def serve(request: dict[str, Any], verb: str, *words: str) -> None:
    if words and str(NUMBER) not in words:
        verb = "compile"  # only the helpers of these numbers misbehave
    if verb == "compile":
        say(ok=True, output=f"helper {NUMBER}", files=request["files"])
    elif verb == "entrypoint":
        say(ok=True, output=request["entrypoint"])
    elif verb == "refuse":
        say(ok=False, output="main.x:1: no", files=[{"path": "left", "content": "YQ=="}])
    elif verb == "chat":
        say(ok=True, output="ä" * 1000)
    elif verb == "hang":
        time.sleep(3600)
    elif verb == "die":
        sys.exit("internal error")
    elif verb == "run_out_of_memory":
        sys.exit(OUT_OF_MEMORY)
    elif verb == "babble":
        print("compiling...", flush=True)
    elif verb == "lie":
        say(ok="yes")
    elif verb == "garble":
        say(ok=True, files=[{"path": "a", "content": "!"}])
    elif verb == "mojibake":
        sys.stdout.buffer.write(b'{"ok": true, "output": "\xff"}\n')
        sys.stdout.flush()
    elif verb == "repeat":
        sys.stdout.write('{"ok": true}\n{"ok": true}\n')
        sys.stdout.flush()
    elif verb == "flood":
        print("x" * (8 << 20), flush=True)
    elif verb == "bloat":
        say(ok=True, files=[{"path": "a", "content": content(65537)}])
    elif verb == "fill":
        say(ok=True, files=[{"path": "a", "content": content(65536)}])
    elif verb == "die_after":
        say(ok=True, output=f"helper {NUMBER}")
        sys.exit("done")
    elif verb == "wait":
        with open(request["entrypoint"]) as gate:  # a FIFO: until the test opens it
            say(ok=True, output=gate.read())


start(sys.argv[1], sys.argv[2])
for line in sys.stdin:
    asked = json.loads(line)
    serve(asked, *asked["argv"])
