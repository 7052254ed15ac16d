"""A runtime that is booted ahead of its step: an interpreter, for want of another."""

import json
import os
import sys

compile("print()", "warm", "exec")
os.write(4, b"r")
os.close(4)
with open(3) as file:
    step = json.load(file)
os.environ.clear()
os.environ.update(step["env"])
sys.argv = [step["entrypoint"], *step["args"]]
if step["live"]:
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
with open(step["entrypoint"]) as file:
    code = compile(file.read(), step["entrypoint"], "exec")
exec(code, {"__name__": "__main__", "STEP": step})
sys.stdout.flush()
os.write(os.open("/soulbox/exit", os.O_WRONLY | os.O_NONBLOCK), b"0")
os._exit(0)
