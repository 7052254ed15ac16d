"""Times commands; run inside of a container by its own Python, see toolchain.py."""

import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

request = json.load(sys.stdin)
environment = {**os.environ, "HOME": "/box", **request["env"]}
numbers = itertools.count()


def write_files() -> None:
    number = next(numbers)
    for name, content in request["files"].items():
        os.makedirs(os.path.dirname(f"/box/{name}"), exist_ok=True)
        with open(f"/box/{name}", "w") as file:
            file.write(content.replace("World!", f"World! {number}"))


def run(commands: list[list[str]]) -> float:
    if request["fresh"]:
        write_files()
    start = time.perf_counter()
    for argv in commands:
        done = subprocess.run(argv, env=environment, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{argv}: {done.stdout.decode()} {done.stderr.decode()}")
    return time.perf_counter() - start


write_files()
run(request["first"])
run(request["timed"])
began = time.perf_counter()
with ThreadPoolExecutor(request["processes"]) as pool:
    seconds = list(pool.map(run, [request["timed"]] * request["count"]))
rate = request["count"] / (time.perf_counter() - began)
print(json.dumps({"seconds": seconds, "rate": rate}))
