"""Languages for trying cells out: Python in every way that a language can be run.

No image of their own: all they need is the python3 that is in every image, and their programs
travel as command lines.
"""

from pathlib import Path

from soulbox_core import Boot, Compile, Dependencies, Image, Language, Option, Source, hookimpl

HERE = Path(__file__).parent
IMAGE = Image(packages=("tzdata",))  # the packages of Python's image, whose first layer this is
VERSION = ("python3", "--version")
RUN = ("python3", "{entrypoint}")


def _program(name: str) -> tuple[str, ...]:
    return ("python3", "-c", (HERE / name).read_text())


BOOTED = Language(
    name="booted",
    title="Python, booted",
    image=IMAGE,
    source_file="main.py",
    run=RUN,
    version=VERSION,
    hello='print("Hello, World!")\n',
    boot=Boot(argv=_program("boot.py"), cold_limits=("memory_bytes",)),
    cold_env=("COLD",),
    env={"BOOTED": "yes"},
)

BUILT = Language(
    name="built",
    title="Python, built by the source itself",
    image=IMAGE,
    source_file="main.py",
    run=("python3", "{artifact}/main.py"),
    version=VERSION,
    hello=("import sys\nopen(sys.argv[1] + '/main.py', 'w').write('print(\"Hello, World!\")')\n"),
    compile=Compile(argv=("python3", "{entrypoint}", "{out}"), env={"OUT": "{out}"}),
)
"""Its compiler does what the caller says, which is the worst that a compiler can do."""


def _checked(source: Source) -> Compile | None:
    if source.options["check"] == "false":
        return None
    return Compile(argv=("python3", "-m", "py_compile", "{entrypoint}"))


CHECKED = Language(
    name="checked",
    title="Python, checked when asked",
    image=IMAGE,
    source_file="main.py",
    run=RUN,
    version=VERSION,
    hello='print("Hello, World!")\n',
    options=(Option(name="check", description="Compile it first."),),
    compile=_checked,
)

HELPED = Language(
    name="helped",
    title="Python, by a compile helper",
    image=IMAGE,
    source_file="main.py",
    run=("python3", "{artifact}/out.py"),
    version=VERSION,
    hello='print("Hello, World!")\n',
    compile=Compile(argv=("compile",)),
    compiler=_program("helper.py"),
)

FETCHING = Language(
    name="fetching",
    title="Python, with an installer that tries things",
    image=IMAGE,
    source_file="main.py",
    run=RUN,
    version=VERSION,
    hello='print("Hello, World!")\n',
    dependencies=Dependencies(
        requirement=r"([a-z]+)(?:=[A-Za-z0-9.:,_/\[\]-]*)?",
        install=(*_program("installer.py"), "{out}", "{requirements}"),
        env={"LAYER": "{dependencies}"},
    ),
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [BOOTED, BUILT, CHECKED, HELPED, FETCHING]
