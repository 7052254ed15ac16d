"""The line that `podman-run` prints, and what it says of what it cannot print one for."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.container.contained import CAPABILITIES, LINE, podman, printed_line, words_of


def test_values_are_what_they_were_however_a_shell_reads_them(image: str) -> None:
    values = ["A=it's; $HOME `id`", "B=", 'C="x" \\ *']
    words = shlex.split(printed_line(image, *(w for value in values for w in ("--env", value))))
    assert [word for word in words if word.startswith("--env=")] == [f"--env={v}" for v in values]
    assert words[:2] == ["podman", "run"]
    assert words[-1] == image


def test_what_it_shows_is_a_container_in_the_background_unless_it_is_asked_otherwise(
    image: str,
) -> None:
    assert "--detach" in shlex.split(printed_line(image))
    words = shlex.split(printed_line(image, "--foreground"))
    assert "--rm" in words
    assert "--detach" not in words


def test_whoever_lets_runs_end_for_longer_has_the_container_wait_as_long(image: str) -> None:
    assert "--stop-timeout=120" in shlex.split(printed_line(image, "--stop-timeout", "120"))


def test_an_image_without_languages_may_change_its_root_to_build_them(image: str) -> None:
    (added,) = (w for w in shlex.split(printed_line(image, "--build")) if w.startswith("--cap-add"))
    assert added == "--cap-add=CHOWN,SETUID,SETGID,SYS_CHROOT"


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "a b; id"),
        ("--name", "-x"),
        ("--memory", "4g; id"),
        ("--memory", "4gb"),
        ("--cpus", "1); system(1"),
        ("--cpus", "1.5.5"),
        ("--env", "A=1\nB=2"),
        ("--stop-timeout", "2m"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_stops_the_shell_that_reads_the_lines(
    image: str, words: tuple[str, str]
) -> None:
    done = subprocess.run(("sh", LINE, image, *words), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "exit 1\n")
    assert words[0] in done.stderr


def test_what_publishes_a_normal_users_ports_is_there_or_asked_for(
    image: str, tmp_path: Path
) -> None:
    for command in Path("/usr/bin").iterdir():
        if not command.name.startswith(("pasta", "slirp4netns")):
            (tmp_path / command.name).symlink_to(command)
    done = subprocess.run(
        ("/bin/sh", LINE, image),
        env={**os.environ, "PATH": f"{tmp_path}:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
    )
    if os.geteuid() == 0:  # whose Podman needs none
        assert "podman run" in done.stdout
    else:
        assert (done.returncode, done.stdout) == (1, "exit 1\n")
        assert "by which Podman publishes ports" in done.stderr
        assert re.search("apt-get install (passt|slirp4netns)$", done.stderr, re.MULTILINE)


def test_quadlet_makes_the_same_of_the_unit(image: str) -> None:
    """The generator of the Podman in the image, to which no systemd is needed."""
    limits = words_of(printed_line(image), "--ulimit")
    unit = ("--volume", f"{LINE.parents[1] / 'quadlet'}:/etc/containers/systemd:ro")
    generator = ("--entrypoint=/usr/libexec/podman/quadlet", image, "-dryrun")
    said = podman("run", "--rm", "--network=none", *limits, *unit, *generator).stdout
    (start,) = re.findall(r"(?m)^ExecStart=(.*)$", said)
    words = shlex.split(start)
    dropped = [words[n + 1] for n, word in enumerate(words) if word == "--cap-drop"]
    added = {words[n + 1].upper() for n, word in enumerate(words) if word == "--cap-add"}
    assert (dropped, added) == (["all"], CAPABILITIES)
    assert {"--read-only", "--replace", "--http-proxy=false", "--pids-limit=32768"} <= {*words}
    of_line = words_of(printed_line(image), "--stop-timeout", "--security-opt=unmask=/proc")
    assert {*of_line} <= {*words}
    assert "--security-opt=unmask=/sys/fs/cgroup" in words


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--memory"], ["a", "--what"]])
def test_words_that_cannot_be_meant_are_answered_with_the_usage(words: list[str]) -> None:
    done = subprocess.run(("sh", LINE, *words), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: podman-run IMAGE")
    assert done.stdout == ""
