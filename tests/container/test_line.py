"""The line that `podman-run` prints, and what it says of what it cannot print one for."""

import shlex
import subprocess

import pytest

from tests.container.contained import LINE, printed_line


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
    ],
)
def test_what_cannot_be_meant_is_refused_and_stops_the_shell_that_reads_the_lines(
    image: str, words: tuple[str, str]
) -> None:
    done = subprocess.run(("sh", LINE, image, *words), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "exit 1\n")
    assert words[0] in done.stderr


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--memory"], ["a", "--what"]])
def test_words_that_cannot_be_meant_are_answered_with_the_usage(words: list[str]) -> None:
    done = subprocess.run(("sh", LINE, *words), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: podman-run IMAGE")
    assert done.stdout == ""
