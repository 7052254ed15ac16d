"""A compile helper that does what the first line of a source says, and tells its pid."""

import base64
import json
import os
import sys
import time

print('{"ready": true}', flush=True)
done = 0
for line in sys.stdin:
    request = json.loads(line)
    files = {file["path"]: base64.b64decode(file["content"]) for file in request["files"]}
    source = files[request["entrypoint"]]
    order = source.split(b"\n")[0].decode().lstrip("# ")
    done += 1
    if order == "die":
        os._exit(1)
    if order == "hang":
        time.sleep(1000)
    if order == "eat":
        print(len(b"x" * (1 << 30)))
    if order == "garbage":
        print("hello", flush=True)
        continue
    ok = order != "fail"
    files = {"out.py": source}
    if order == "outside":
        files["../outside"] = b""
    answer = {
        "ok": ok,
        "output": f"helper {os.getpid()} compile {done}",
        "files": [
            {"path": path, "content": base64.b64encode(content).decode()}
            for path, content in files.items()
        ],
    }
    print(json.dumps(answer), flush=True)
