"""The last layer of an image, filled by the real tools in the storage of the other tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from soulbox_core import settings
from soulbox_core.errors import ImageError
from soulbox_core.images.catalog import Builder, image_tag, needed_tags
from soulbox_core.images.environment import build_environment
from soulbox_core.images.recipe import recipe
from soulbox_core.language import PRELOADS, Image
from tests.images.samples import language
from tests.images.test_catalog import inside, silent

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SETTINGS = settings.load(env=os.environ)


def setup(*scripts: str, **files: Path) -> Image:
    """An image with shell scripts to run, and files below /lib, which is a link in Debian."""
    return Image(
        files={f"/lib/setup-test/{name}": path for name, path in files.items()},
        setup=tuple(("sh", "-ec", script) for script in scripts),
    )


@pytest.fixture
def builder(storage: None) -> Iterator[Builder]:
    """A builder of which nothing is left but the tree, which is for all tests."""
    builder = Builder(SETTINGS)
    before = {image.tag for image in builder.store.list()}
    yield builder
    made = {image.tag for image in builder.store.list()} - before - {recipe(language()).tree_tag}
    for tag in made:
        assert builder.store.remove(tag)


def built(builder: Builder, image: Image, name: str = "setup-test") -> str:
    """Build an image and return its tag."""
    assert builder.build(language(name, image), silent)
    return image_tag(language(name, image))


def output(tag: str, script: str) -> str:
    done = inside(tag, "sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def failure(builder: Builder, image: Image) -> str:
    """What is told of a build that fails, which leaves no image and no container."""
    one = language("setup-test", image)
    with pytest.raises(ImageError) as caught:
        builder.build(one, silent)
    assert builder.missing([one]) == [one]
    assert containers() == []
    return str(caught.value)


def containers() -> list[str]:
    done = subprocess.run(
        ("podman", "ps", "--all", "--filter=name=soulbox-setup", "--quiet"),
        env=build_environment(SETTINGS),
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def test_files_are_there_with_their_modes_for_anybody(builder: Builder, tmp_path: Path) -> None:
    data, program = tmp_path / "data", tmp_path / "program"
    data.write_bytes(b"\0\xff data")
    data.chmod(0o600)
    program.write_text("#!/bin/sh\necho runs\n")
    program.chmod(0o700)
    tag = built(builder, setup(data=data, program=program))
    told = output(tag, "cd /usr/lib/setup-test; stat -c '%n %a %u' . *; ./program; od -An -c data")
    assert told.splitlines()[:4] == [". 755 0", "data 644 0", "program 755 0", "runs"]
    assert told.splitlines()[4].split() == ["\\0", "377", "d", "a", "t", "a"]


def test_a_file_replaces_a_link_and_not_what_it_leads_to(builder: Builder, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.write_text("ours\n")
    image = Image(files={"/usr/bin/python3": ours})
    assert output(built(builder, image), "cat /usr/bin/python3; python3.13 -c 'print(1)'") == (
        "ours\n1\n"
    )


def test_commands_run_in_order_as_root_where_they_find_the_files(
    builder: Builder, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\n{ id -u; pwd; umask; echo "$HOME"; } > /usr/local/first\n')
    script.chmod(0o755)
    tag = built(
        builder, setup("/lib/setup-test/script", "wc -l </usr/local/first >/made", script=script)
    )
    assert output(tag, "cat /usr/local/first /made; stat -c %a /made") == (
        "0\n/\n0022\n/root\n4\n644\n"
    )


def test_preloads_are_words_of_their_own(builder: Builder) -> None:
    words = ("python3", "-c", "import json, sys; json.dump(sys.argv[1:], open('/words', 'w'))")
    one = structs.replace(
        language("setup-test", Image(setup=((*words, "first", PRELOADS, "last"),))),
        preloads=("lodash@4", "a b; exit 1"),
    )
    assert builder.build(one, silent)
    assert output(image_tag(one), "cat /words") == '["first", "lodash@4", "a b; exit 1", "last"]'


def test_what_is_not_for_runs_stays_out_of_the_image(builder: Builder) -> None:
    litter = (
        "for place in $HOME/.npm /tmp /var/tmp /run /dev/shm; do"
        " mkdir -p $place; echo litter > $place/setup-test-litter; chown 1000 $place/*; done;"
        " echo kept > /usr/local/setup-test-kept"
    )
    check = "test -f $HOME/.npm/setup-test-litter -a -f /tmp/setup-test-litter"
    tag = built(builder, setup(litter, check))
    found = output(tag, "find / -xdev -name 'setup-test-*'; ls -A /root")
    assert found == "/usr/local/setup-test-kept\n.bashrc\n.profile\n"
    assert not (Path(SETTINGS.state_dir) / "build" / "scratch").exists()


def test_the_operators_registries_are_known_during_the_setup_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, builder: Builder
) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("an authority of the operator's\n")
    (tmp_path / ".npmrc").write_text("//registry.example/:_authToken=secret-npmrc\n")
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config.toml").write_text("# secret-cargo\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret-proxy@proxy.example")
    monkeypatch.setenv("GOPROXY", "https://secret-go.example")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(authority))
    monkeypatch.setenv("UNRELATED_TOKEN", "secret-unrelated")
    one = language(
        "setup-test",
        setup(
            '{ cat ~/.npmrc ~/.cargo/config.toml "$SSL_CERT_FILE" "$NODE_EXTRA_CA_CERTS";'
            ' echo "$HTTPS_PROXY $GOPROXY $UNRELATED_TOKEN"; } >/tmp/told',
            "for word in npmrc cargo proxy go; do grep -q secret-$word /tmp/told; done",
            "! grep secret-unrelated /tmp/told",
            "test 2 = $(grep -c 'authority of the operator' /tmp/told)",
            "cmp /etc/ssl/certs/ca-certificates.crt $SSL_CERT_FILE",
        ),
    )
    assert Builder(SETTINGS).build(one, silent)
    search = "grep -rlE 'secret-|authority of the operator' /etc /root /tmp /var /usr/local"
    assert inside(image_tag(one), "sh", "-c", search).stdout == ""
    described = subprocess.run(
        ("podman", "inspect", image_tag(one)),
        env=build_environment(SETTINGS),
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )
    assert "secret-" not in described.stdout


def test_names_resolve_as_on_the_host(builder: Builder) -> None:
    host = [Path(path).read_text() for path in ("/etc/resolv.conf", "/etc/hosts")]
    tag = built(builder, setup("cp /etc/resolv.conf /etc/hosts /usr/local"))
    assert output(tag, "cat /usr/local/resolv.conf /usr/local/hosts") == "".join(host)


def test_a_setup_sees_its_own_processes_and_leaves_none(builder: Builder) -> None:
    tag = built(
        builder,
        setup("sleep 4711 >/dev/null 2>&1 & ls /proc | grep -cE '^[0-9]+$' > /usr/local/count"),
    )
    assert int(output(tag, "cat /usr/local/count")) < 10
    running = subprocess.run(("pgrep", "-xf", "sleep 4711"), check=False, capture_output=True)
    assert running.stdout == b""


def test_a_failing_command_is_told_with_its_last_words(builder: Builder) -> None:
    told = failure(builder, setup("echo fine", "echo 'E: no such package' >&2; exit 7", "echo no"))
    assert "| E: no such package" in told
    assert "ended with exit code 7" in told
    assert "the image's setup failed; see what the command said" in told
    assert "| no\n" not in told


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("no-such-command",), "no-such-command"),
        (("sh", "-c", "kill -9 $$"), "ended by signal 9"),
    ],
)
def test_a_command_that_cannot_be_run_or_is_killed_is_named(
    builder: Builder, command: tuple[str, ...], words: str
) -> None:
    assert words in failure(builder, Image(setup=(command,)))


def test_lines_of_the_commands_are_shown_as_they_come(builder: Builder) -> None:
    told: list[tuple[str, float]] = []
    one = language("setup-test", setup("echo first-line", "echo second-line"))
    assert builder.build(one, lambda text, fraction: told.append((text, fraction)))
    fractions = [fraction for _, fraction in told]
    assert [text for text, _ in told if "-line" in text and not text.startswith("$")] == [
        "first-line",
        "second-line",
    ]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_languages_with_the_same_recipe_are_built_once(builder: Builder) -> None:
    image = setup("date +%N >/usr/local/made")
    one = built(builder, image, "setup-test")
    told: list[str] = []
    other = language("setup-test-too", image)
    assert builder.build(other, lambda text, fraction: told.append(text))
    assert told == ["done"]
    assert output(one, "cat /usr/local/made") == output(image_tag(other), "cat /usr/local/made")
    assert needed_tags([other]) <= {image.tag for image in builder.store.list()}


def test_force_builds_what_two_languages_share_anew_but_once(builder: Builder) -> None:
    image = setup("date +%N >/usr/local/made")
    one, other = language("setup-test", image), language("setup-test-too", image)
    before = output(built(builder, image), "cat /usr/local/made")
    told: list[str] = []
    another = Builder(SETTINGS)
    for each in (one, other):
        assert another.build(each, lambda text, fraction: told.append(text), force=True)
    after = output(image_tag(one), "cat /usr/local/made")
    assert after != before
    assert output(image_tag(other), "cat /usr/local/made") == after
    assert told.count("importing into Podman's storage") == 1
    assert told.count("setting up") == 1


def test_an_interrupted_setup_leaves_nothing_and_can_be_done_again(builder: Builder) -> None:
    scripts = ("sleep 4712", "echo done >/usr/local/done")
    program = (
        "import sys\n"
        "from tests.images.test_setup_stage import SETTINGS, Builder, language, setup\n"
        f"one = language('setup-test', setup(*{scripts!r}))\n"
        "Builder(SETTINGS).build(one, lambda text, fraction: print(text, flush=True))\n"
    )
    child = subprocess.Popen(
        (sys.executable, "-c", program),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            if "sleep 4712" in line:
                child.send_signal(signal.SIGINT)
                break
        child.wait(60)
    assert containers() == []
    running = subprocess.run(("pgrep", "-xf", "sleep 4712"), check=False, capture_output=True)
    assert running.stdout == b""
    assert not (Path(SETTINGS.state_dir) / "build" / "scratch").exists()
    assert output(built(builder, setup(*scripts[1:])), "cat /usr/local/done") == "done\n"
