"""Java for SoulBox: OpenJDK with a warm javac, parked virtual machines and libraries at hand."""

from pathlib import Path

from soulbox_core import Boot, Compile, Dependencies, Image, Language, Source, hookimpl
from soulbox_java.machine import COLD_LIMITS, COLD_VARIABLES, flags, way_out

_HOME = "/opt/soulbox/java"
_FILES = Path(__file__).with_name("image")
_WARM = f"{_HOME}/warm"
REQUIREMENT = r"([\w.][\w.-]*:[\w.][\w.-]*)(:([\w.][\w.+-]*|[\[(][\w.+,-]*[\])]))?"
"""Maven's group:artifact, or group:artifact:version, where a version may be a range."""
_COMPILED = ("rehearsal/Hello", "exercise/Everyday", "exercise/Jackson", "exercise/Guava")
"""What javac warms up with."""
_ROUNDS = "4"
"""How often it compiles each of them; more took longer and made the first jobs no faster."""
_EXERCISES = ("Jackson", "Guava", "Gson", "CommonsLang", "CommonsMath")
"""What a virtual machine does with its preloads while nobody wants it, the most used first."""


def _run(source: Source) -> tuple[str, ...]:
    started = ("soulbox.Run", "{artifact}", "{dependencies}")
    machine = (*flags(source.limits), *way_out(source.proxy))
    return ("java", f"@{_HOME}/run.args", *machine, *started)


def _environment(source: Source) -> dict[str, str]:
    """Maven is Java, and takes its options from a variable of its own."""
    options = way_out(source.proxy)
    return {"MAVEN_OPTS": " ".join(options)} if options else {}


def _boot(source: Source) -> tuple[str, ...]:
    rehearsals = (f"{_WARM}/{name}" for name in ("Hello", "Everyday", *_EXERCISES))
    return ("java", f"@{_HOME}/run.args", *flags(source.limits), "soulbox.Boot", *rehearsals)


JAVA = Language(
    name="java",
    title="Java",
    image=Image(
        packages=(
            "openjdk-25-jdk-headless",
            # Maven as a library, which fetches libraries.
            "libmaven-resolver-java",
            "libmaven3-core-java",
            "libwagon-http-java",
        ),
        files={
            f"{_HOME}/{path.relative_to(_FILES)}": path
            for path in sorted(_FILES.rglob("*"))
            if path.is_file()
        },
        setup=(("sh", f"{_HOME}/setup.sh", "{preloads}"),),
    ),
    source_file="Main.java",
    run=_run,
    version=("java", "--version"),
    hello="""\
public class Main {
    public static void main(String[] args) {
        System.out.println("Hello, World!");
    }
}
""",
    compile=Compile(
        argv=(f"{_HOME}/compile", "{entrypoint}", "{out}", "{dependencies}", "-proc:none")
    ),
    compiler=(
        *("java", f"@{_HOME}/compiler.args", "soulbox.compiler.Server", f"{_HOME}/lib", _ROUNDS),
        *(f"{_HOME}/sources/{name}.java" for name in _COMPILED),
    ),
    boot=Boot(argv=_boot, cold_limits=COLD_LIMITS),
    preloads=(
        "com.google.guava:guava:33.8.0-jre",
        "com.fasterxml.jackson.core:jackson-databind:2.22.3",
        "com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.22.3",
        "com.google.code.gson:gson:2.15.0",
        "org.apache.commons:commons-lang3:3.22.0",
        "org.apache.commons:commons-text:1.15.0",
        "org.apache.commons:commons-collections4:4.6.0",
        "org.apache.commons:commons-csv:1.14.1",
        "org.apache.commons:commons-math3:3.6.1",
        "org.junit.jupiter:junit-jupiter:6.1.3",
        "org.junit.platform:junit-platform-launcher:6.1.3",
    ),
    env=_environment,
    cold_env=COLD_VARIABLES,
    dependencies=Dependencies(
        requirement=REQUIREMENT,
        install=(
            *("java", f"@{_HOME}/maven.args", "soulbox.maven.Resolve", "{out}", f"{_HOME}/lib"),
            "{requirements}",
        ),
    ),
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [JAVA]
