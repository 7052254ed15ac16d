import re
import runpy
import subprocess
import tomllib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from soulbox_core import Limits, Source, SourceFile
from soulbox_core.testing import registered
from soulbox_rust import RUST
from soulbox_rust.compiling import CRATES_VARIABLE, compiling
from soulbox_rust.manifest import package
from soulbox_rust.preloads import CRATES, REQUIREMENT

PROJECT = Path(__file__).parents[1]
HELLO = RUST.hello
OPTIONS = {option.name: option.values[0] for option in RUST.options}


def argv(files: Mapping[str, str], entrypoint: str = "main.rs", **options: str) -> tuple[str, ...]:
    return compiling(source(files, entrypoint, **options)).argv


def source(files: Mapping[str, str], entrypoint: str = "main.rs", **options: str) -> Source:
    return Source(
        files=tuple(SourceFile(path=path, content=text.encode()) for path, text in files.items()),
        entrypoint=entrypoint,
        options={**OPTIONS, **options},
    )


def manifest(text: str) -> tuple[SourceFile, ...]:
    return (SourceFile(path="Cargo.toml", content=text.encode()),)


def test_the_entry_point_registers_rust() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["soulbox"].items()
    plugin = metadata.EntryPoint(name=name, value=value, group="soulbox").load()
    assert registered(plugin) == (RUST,)
    assert project["name"] == "soulbox-rust"


def test_what_the_image_is_made_with_is_in_the_package() -> None:
    for path in RUST.image.files.values():
        assert path.parent == PROJECT / "soulbox_rust" / "image"
        assert path.is_file()


def test_every_crate_is_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    for crate in CRATES:
        name = re.split(r"[\[=]", crate)[0]
        assert f"`{name}`" in readme, name


def test_the_crates_are_requirements_and_sorted() -> None:
    names = [found[1] for found in (re.fullmatch(REQUIREMENT, crate) for crate in CRATES) if found]
    assert len(names) == len(CRATES)
    assert sorted(names) == names


def test_the_image_reads_requirements_as_the_core_checks_them() -> None:
    crates = runpy.run_path(str(PROJECT / "soulbox_rust" / "image" / "crates.py"))
    assert crates["REQUIREMENT"].pattern == REQUIREMENT
    assert crates["wanted"](("uuid[v4,serde]=1.8", "itoa", "rand@0.9")) == {
        "uuid": {"version": "1.8", "features": ["v4", "serde"]},
        "itoa": {"version": "*", "features": []},
        "rand": {"version": "0.9", "features": []},
    }


def test_a_crate_of_the_image_that_is_asked_for_keeps_its_features() -> None:
    crates = runpy.run_path(str(PROJECT / "soulbox_rust" / "image" / "crates.py"))
    ours, theirs = crates["wanted"](("serde[derive]=1", "hex=1")), crates["wanted"](("serde[rc]",))
    assert crates["added"](ours, theirs) == {
        "serde": {"version": "*", "features": ["derive", "rc"]},
        "hex": {"version": "1", "features": []},
    }


@pytest.mark.parametrize(
    "requirement",
    [
        "",
        "--config=x",
        "1two",
        'itoa="1"',
        "itoa=1 2",
        "../evil",
        "itoa=1\nevil = { path = '/' }",
        "git+https://x/y",
        "itoa[a]b",
    ],
)
def test_what_is_no_requirement_is_refused(requirement: str) -> None:
    crates = runpy.run_path(str(PROJECT / "soulbox_rust" / "image" / "crates.py"))
    assert not re.fullmatch(REQUIREMENT, requirement)
    with pytest.raises(SystemExit, match="is not like"):
        crates["wanted"]((requirement,))


def test_a_program_is_compiled_by_one_rustc() -> None:
    words = argv({"main.rs": HELLO})
    assert words[:2] == ("/bin/sh", "-c")
    assert words[2].count("rustc") == 1
    assert words[-1] == "{entrypoint}"
    assert "--edition=2024" in words
    assert not any(word.startswith("-Copt-level") for word in words)


def test_options_are_rustcs() -> None:
    words = argv({"main.rs": HELLO}, optimize="true", edition="2018")
    assert {"-Copt-level=3", "--edition=2018"} <= set(words)


def test_a_manifest_names_the_edition_and_the_crate() -> None:
    toml = '[package]\nname = "my-tool"\nversion = "1.2.3"\nedition = "2021" # the year\n'
    files = {"a/Cargo.toml": toml, "a/src/main.rs": HELLO}
    step = compiling(source(files, "a/src/main.rs"))
    assert {"--edition=2021", "--crate-name=my_tool"} <= set(step.argv)
    assert step.env["CARGO_PKG_NAME"] == "my-tool"
    assert step.env["CARGO_PKG_VERSION"] == "1.2.3"
    assert step.env["CARGO_MANIFEST_DIR"] == "/box/a"


def test_the_nearest_manifest_counts() -> None:
    files = {
        "Cargo.toml": '[package]\nedition = "2015"\n',
        "a/Cargo.toml": '[package]\nedition = "2018"\n',
        "b/Cargo.toml": '[package]\nedition = "2021"\n',
        "a/src/main.rs": HELLO,
    }
    assert "--edition=2018" in argv(files, "a/src/main.rs")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[package\nedition",
        '[package]\nedition = "1999"\n',
        '[package]\nedition.workspace = true\nname = "--evil"\n',
        '[dependencies]\nedition = "2015"\n',
        '[package]\n# edition = "2015"\n',
        '[package]\nversion = "1\0"\nname = "a\0b"\n',
        "\0" * 1000,
    ],
)
def test_a_manifest_that_says_nothing_changes_nothing(text: str) -> None:
    with_it = compiling(source({"main.rs": HELLO, "Cargo.toml": text}))
    assert with_it == compiling(source({"main.rs": HELLO}))


def test_a_library_is_compiled_before_the_program() -> None:
    toml = '[package]\nname = "my-tool"\n'
    files = {"Cargo.toml": toml, "src/main.rs": HELLO, "src/lib.rs": ""}
    words = argv(files, "src/main.rs")
    assert words[2].count("rustc") == 2
    assert words[4:8] == ("my_tool", "src/lib.rs", "my_tool", "{entrypoint}")
    assert argv(files, "src/lib.rs")[2].count("rustc") == 1


def test_a_library_may_have_another_name_and_place() -> None:
    ours = package(manifest('[lib]\nname = "other"\npath = "code/all.rs"\n'), "main.rs")
    assert ours.library == ("other", "code/all.rs")
    ours = package(manifest('[lib]\nname = "$(evil)"\n'), "main.rs")
    assert ours.library == ("main", "src/lib.rs")


def test_a_huge_manifest_is_read_in_part() -> None:
    text = "[package]\n" + "a" * (64 << 10) + '\nedition = "2015"\n'
    assert "--edition=2024" in argv({"main.rs": HELLO, "Cargo.toml": text})


def test_thread_pools_are_told_of_the_cores() -> None:
    assert callable(RUST.env)
    one = RUST.env(Source(limits=Limits(cpus=0.5)))
    assert one == {"RAYON_NUM_THREADS": "1", "TOKIO_WORKER_THREADS": "1"}
    many = RUST.env(Source(limits=Limits(cpus=1e9)))
    assert int(many["RAYON_NUM_THREADS"]) >= 1


def test_dependencies_are_found_where_they_were_put() -> None:
    assert RUST.dependencies is not None
    assert RUST.dependencies.env == {CRATES_VARIABLE: "{dependencies}"}
    script = argv({"main.rs": HELLO})[2].replace("exec rustc", "echo")
    for value, said in (
        ("", "@/opt/soulbox/rust/externs a b\n"),
        ("/store/x", "@/store/x/externs -L/store/x/direct -Ldependency=/store/x/deps a b\n"),
    ):
        words = ("/bin/sh", "-c", script, "rustc", "a", "b")
        env = {CRATES_VARIABLE: value}
        done = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, check=True)
        assert done.stdout == said
