"""The three pipes between a program and the core."""

import os
from collections.abc import AsyncIterator

from soulbox_core.sandbox.launcher import wire
from soulbox_core.sandbox.output import OutputPipe


class Stdio:
    """Both ends of a program's stdin, stdout and stderr, until its own are handed over.

    :param content: stdin as it is known beforehand; None for a pipe that is fed later
    """

    def __init__(self, content: bytes | None) -> None:
        self.stdout = OutputPipe("stdout")
        self.stderr = OutputPipe("stderr")
        self._stdin, self.feed_end = _stdin(content)

    @property
    def descriptors(self) -> tuple[int, int, int]:
        """What becomes the program's stdin, stdout and stderr."""
        return self._stdin, self.stdout.write_end, self.stderr.write_end

    @property
    def fed(self) -> bool:
        """Whether stdin is a pipe that is written while the program runs."""
        return self.feed_end >= 0

    def hand_over(self) -> None:
        """Close the program's ends: it has them by now. Safe to call twice."""
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1
        self.stdout.close_write_end()
        self.stderr.close_write_end()

    def close_feed(self) -> None:
        """End the program's stdin. Safe to call twice."""
        if self.feed_end >= 0:
            os.close(self.feed_end)
            self.feed_end = -1

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""
        self.hand_over()
        self.stdout.close()
        self.stderr.close()
        self.close_feed()


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Input known beforehand, for a pipe that is fed."""
    if content:
        yield content


def _stdin(content: bytes | None) -> tuple[int, int]:
    """The program's end of its stdin, and ours, which is -1 unless input is fed later.

    Input known beforehand is an anonymous file: nothing to write, nothing to wait for.
    """
    if content is None:
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(write_end, False)
        # /dev/stdin leads to the pipe's inode, which is ours and not the cell's user's.
        os.fchmod(read_end, 0o644)
        return read_end, write_end
    if content:
        return wire.sealed_file(content), -1
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), -1
