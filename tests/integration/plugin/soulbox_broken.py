"""Languages whose runtimes do not boot, and one whose does."""

from soulbox_core import Boot, Image, Language, hookimpl

BOOTS = {
    "dies": "import sys; sys.exit('no such module: frobnicate')",
    "hangs": "import time; time.sleep(1000)",
    "floods": "import os\nwhile True: os.write(2, b'warning: deprecated\\n' * 1000)",
    "silent": "import os, time; os.close(4); time.sleep(1000)",
    "missing": None,
    "sound": (
        "import json, os; os.write(4, b'r'); os.close(4); step = json.load(open(3)); "
        "exec(open(step['entrypoint']).read())"
    ),
}


def _language(name: str, boot: str | None) -> Language:
    return Language(
        name=name,
        title=name,
        image=Image(packages=("tzdata",)),
        source_file="main.py",
        run=("python3", "{entrypoint}"),
        version=("python3", "--version"),
        hello='print("Hello, World!")\n',
        boot=Boot(argv=("no-such-runtime",) if boot is None else ("python3", "-c", boot)),
    )


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [_language(name, boot) for name, boot in BOOTS.items()]
