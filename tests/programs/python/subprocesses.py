"""Other programs: pipes, exit codes, signals, timeouts, environment and temporary files."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

done = subprocess.run(
    ["sort", "-n"], input="10\n9\n1\n", capture_output=True, text=True, check=True
)
print(done.stdout.split(), done.returncode)

producer = subprocess.Popen(["seq", "1", "1000"], stdout=subprocess.PIPE)
consumer = subprocess.Popen(["tail", "-n", "2"], stdin=producer.stdout, stdout=subprocess.PIPE)
assert producer.stdout is not None
producer.stdout.close()
print(consumer.communicate()[0], producer.wait())

code = "import os, sys; print(os.environ['COLOUR'], sys.argv[1]); sys.exit(3)"
child = subprocess.run(
    [sys.executable, "-c", code, "an arg"],
    env={**os.environ, "COLOUR": "blau"},
    stdout=subprocess.PIPE,
)
print(child.stdout.decode().strip(), child.returncode)
try:
    subprocess.run(["sh", "-c", "echo oops >&2; exit 5"], check=True, stderr=subprocess.PIPE)
except subprocess.CalledProcessError as error:
    print(error.returncode, error.stderr)
try:
    subprocess.run(["sleep", "60"], timeout=0.1)
except subprocess.TimeoutExpired as error:
    print("timed out:", error.cmd)
sleeper = subprocess.Popen(["sleep", "60"])
sleeper.send_signal(signal.SIGTERM)
print(signal.Signals(-sleeper.wait()).name, shutil.which("no-such-program"))

with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    for part in ("a/b", "c"):
        (root / part).mkdir(parents=True)
    (root / "a/b/file.txt").write_text("text\n" * 3)
    (root / "c/link").symlink_to("../a")
    shutil.copytree(root / "a", root / "copy")
    print(sorted(p.relative_to(root).as_posix() for p in root.rglob("*.txt")))
    print((root / "c/link/b/file.txt").read_text().count("text"), shutil.disk_usage(root).total > 0)
print(root.exists())

caught = []
signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
reader, writer = os.pipe()
if (pid := os.fork()) == 0:
    os.write(writer, b"from the child")
    os._exit(4)
os.close(writer)
print(
    caught == [signal.SIGUSR1],
    os.read(reader, 100),
    os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
)
