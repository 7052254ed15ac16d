"""How the host's tools are run."""

import os
import subprocess
import sys

_TAIL_LINES = 20


class Unable(Exception):
    """The machine cannot be made or run; the message says what to do."""


def say(text: str) -> None:
    """Show a step, in the way of scripts/lib/say.sh."""
    print(f"… {text}", file=sys.stderr, flush=True)


def run(*argv: str) -> None:
    """Run a tool quietly.

    :raises Unable: it failed; the message ends with its last lines
    """
    done = subprocess.run(
        argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        last = "\n".join(f"  | {line}" for line in done.stdout.splitlines()[-_TAIL_LINES:])
        raise Unable(f"{argv[0]} failed with code {done.returncode}\n{last}")


def run_as_root(*argv: str) -> None:
    """Run a tool as root: of a user namespace, unless we are root.

    :raises Unable: it failed
    """
    inside = () if os.getuid() == 0 else ("unshare", "--user", "--map-root-user", "--map-auto")
    run(*inside, *argv)
