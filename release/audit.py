"""Ask whether there are known vulnerabilities in what the locks list.

    python3 -m release.audit [--offline-ok] [--osv-url URL] [--ignore ID]... LOCK...

It ends with 0 if there are none, with 1 if there are, with 2 if no service could tell; with
--offline-ok that is said, and ends with 0.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_SECONDS = 60
"""For all that is asked; each service has its share."""
_FOUND, _UNTOLD = 1, 2


class Untold(Exception):
    """A service did not tell of every package."""


def vulnerabilities(
    locks: Sequence[Path], arguments: Sequence[str], seconds: float
) -> Iterator[str]:
    """Yield a line for each vulnerability.

    :param arguments: for pip-audit: whom to ask, and what to pass over
    :param seconds: what asking may take
    :raises Untold: that service cannot be reached, or does not know each package
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip"),
        *("--format", "json", "--progress-spinner", "off", "--timeout", "15", *arguments),
        *(word for lock in locks for word in ("--requirement", str(lock))),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Untold(f"no answer within {seconds:g} s") from None
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        raise Untold(_last_line(done.stderr)) from None
    for package in packages:
        for found in package.get("vulns", ()):
            fixed = ", ".join(found["fix_versions"]) or "nothing yet"
            yield f"{package['name']} {package['version']}: {found['id']}, mended by {fixed}"
    if not packages:
        raise Untold("the locks list nothing")
    # pip-audit leaves out what the service does not know, and is content.
    skipped = [package for package in packages if "skip_reason" in package]
    if skipped:
        raise Untold(f"{len(skipped)} of {len(packages)} packages: {skipped[0]['skip_reason']}")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def main() -> None:
    """Be the command that the module's head shows."""
    parser = argparse.ArgumentParser(prog="scripts/audit")
    parser.add_argument("--offline-ok", action="store_true", help="no answer is no failure")
    parser.add_argument("--osv-url", help="ask this service alone, which speaks as OSV does")
    parser.add_argument("--ignore", action="append", default=[], metavar="ID")
    parser.add_argument("locks", nargs="+", type=Path)
    asked = parser.parse_args()
    services: dict[str, tuple[str, ...]] = {
        "PyPI": ("--vulnerability-service", "pypi"),
        "OSV": ("--vulnerability-service", "osv"),
    }
    if asked.osv_url:
        services = {asked.osv_url: (*services["OSV"], "--osv-url", asked.osv_url)}
    ignored = [word for name in asked.ignore for word in ("--ignore-vuln", name)]
    for name, service in services.items():
        found = []
        try:
            arguments = (*service, *ignored)
            for line in vulnerabilities(asked.locks, arguments, _SECONDS / len(services)):
                found.append(line)
                print(f"✗ {line}")
        except Untold as error:
            print(f"! {name} does not tell: {error}")
            if not found:
                continue
        if found:
            sys.exit(_FOUND)
        print(f"✓ {name} knows of no vulnerability in {' '.join(map(str, asked.locks))}")
        return
    if not asked.offline_ok:
        print("✗ nobody could be asked; --offline-ok lets that pass")
        sys.exit(_UNTOLD)
    print("! nobody could be asked about vulnerabilities, so they are not checked")


if __name__ == "__main__":
    main()
