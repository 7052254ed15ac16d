"""Running a build tool: what it says reaches the caller, above all when it fails."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from soulbox_core.errors import ImageError
from soulbox_core.images import tool

ENV = {"PATH": os.environ["PATH"]}


def test_output_comes_without_warnings() -> None:
    script = "echo careful >&2; echo '[]'"
    assert tool.output(("sh", "-c", script), {"PATH": "/bin"}, advice="none") == b"[]\n"


def test_output_of_a_tool_that_fails_is_its_last_words() -> None:
    with pytest.raises(ImageError, match="careful"):
        tool.output(("sh", "-c", "echo careful >&2; exit 3"), {"PATH": "/bin"}, advice="none")


def test_lines_come_one_by_one_also_from_progress_bars_and_stderr() -> None:
    lines: list[str] = []
    script = r"printf 'one\rtwo\r\nthree\n'; echo four >&2"
    assert tool.run(("sh", "-c", script), ENV, advice="", on_line=lines.append) == "four"
    assert lines == ["one", "two", "three", "four"]


def test_failure_carries_the_last_words_and_the_advice() -> None:
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    with pytest.raises(ImageError) as caught:
        tool.run(("sh", "-c", script), ENV, advice="try tomorrow")
    message = str(caught.value)
    assert "sh failed; try tomorrow" in message
    assert "| line 100" in message
    assert "| line 50\n" not in message


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(ImageError, match=r"no-such-tool.*soulbox check"):
        tool.run(("no-such-tool",), ENV, advice="")


def test_a_tool_gets_no_stdin_to_ask_questions_on() -> None:
    assert tool.run(("sh", "-c", "cat; echo end"), ENV, advice="") == "end"


def test_a_tool_gets_what_it_is_given_on_stdin_and_no_more() -> None:
    assert tool.run(("sh", "-c", "cat; echo end"), ENV, advice="", stdin=b"given ") == "given end"


def test_a_failing_tool_is_called_what_the_operator_knows_it_as() -> None:
    with pytest.raises(ImageError, match=r"^the setup failed; try"):
        tool.run(("false",), ENV, name="the setup", advice="try tomorrow")


def test_what_an_interrupted_tool_started_is_told_and_waited_for_too(tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"
    slow = (
        f"trap 'sleep 0.2; echo bye > {cleaned}; exit 1' INT; echo up; while :; do sleep 0.05; done"
    )
    # Dies of the signal at once, as `podman unshare` does, and does not wait for what it started.
    program = f"import subprocess, time; subprocess.Popen(('sh', '-c', {slow!r})); time.sleep(60)"

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tool.run((sys.executable, "-c", program), ENV, advice="", on_line=interrupt)
    assert cleaned.read_text() == "bye\n"


def test_an_interrupted_tool_is_told_and_waited_for(tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"
    script = f"trap 'echo bye > {cleaned}; exit 1' INT; echo up; while :; do sleep 0.05; done"
    program = (
        "from soulbox_core.images import tool\n"
        f"tool.run(('sh', '-c', {script!r}), {ENV!r}, advice='',"
        " on_line=lambda line: print(line, flush=True))\n"
    )
    child = subprocess.Popen(
        (sys.executable, "-c", program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        child.send_signal(signal.SIGINT)  # to it alone: a terminal would tell the tool as well
        child.wait(20)
    deadline = time.monotonic() + 5
    while not cleaned.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert cleaned.read_text() == "bye\n"
