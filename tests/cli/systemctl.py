"""A `systemctl` of ours on the PATH: what it was asked, and what it says, is in files."""

import os
import sys
from pathlib import Path

_SCRIPT = """\
#!{python}
import sys
from pathlib import Path
here = Path({here!r})
words = [word for word in sys.argv[1:] if word != "--user"]
with (here / "asked").open("a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
if words[0] == "--version":
    print("systemd {version} (made up)")
elif words[0] == "is-active":
    sys.exit(0 if (here / "active").exists() else 3)
elif words[0] == "show":
    print("1 languages at http://127.0.0.1:8000")
elif words[0] == "enable" and "unwanted" in Path({unit!r}).read_text():
    sys.exit("Failed to enable unit.")
elif words[0] in ("start", "restart"):
    unit = Path({unit!r}).read_text()
    if "broken" in unit:
        sys.exit("Job for soulbox.service failed.")
    (here / "active").touch()
elif words[:2] == ["disable", "--now"]:
    (here / "active").unlink(missing_ok=True)
"""
_JOURNAL = """\
#!/bin/sh
echo "SoulBox is ready at http://127.0.0.1:8000 after 0.1 s. Try:"
echo "  curl --data-binary 'old' http://127.0.0.1:8000/v1/run/python"
echo "Started soulbox.service."
echo "  curl --data-binary 'first"
echo "second' http://127.0.0.1:8000/v1/run/go"
echo "Started soulbox.service."
"""


class FakeSystemctl:
    """In a directory of its own, with the host's systemd's version as asked for.

    :param unit: the file that it starts services by
    """

    def __init__(self, here: Path, unit: Path, version: int = 257) -> None:
        here.mkdir()
        self._here = here
        texts = {
            "systemctl": _SCRIPT.format(
                python=sys.executable, here=str(here), unit=str(unit), version=version
            ),
            "journalctl": _JOURNAL,
        }
        for name, text in texts.items():
            (here / name).write_text(text)
            (here / name).chmod(0o755)
        self.path = f"{here}{os.pathsep}{os.environ['PATH']}"

    @property
    def asked(self) -> list[str]:
        file = self._here / "asked"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def active(self) -> bool:
        return (self._here / "active").exists()
