"""From what is known of a run to the record that is kept of it."""

from soulbox_core.model import SourceFile
from soulbox_core.report import CANCELLED, Report
from soulbox_core.request_id import current
from soulbox_core.settings import Records
from soulbox_core.store.records import Content, Execution


def execution_of(report: Report, node: str, keep: Records) -> Execution:
    """The record of a run, with as much of its content as may be kept.

    :param node: the instance that it ran on
    """
    outcome = report.outcome
    return Execution(
        id=report.id,
        caller=report.caller.id,
        language=report.request.language,
        status=report.status,
        created_at=report.began_at,
        node=node,
        request_id=current(),
        error=None if report.failure == CANCELLED else report.failure,
        exit_code=None if outcome is None else outcome.exit_code,
        signal=None if outcome is None else outcome.signal,
        usage=None if outcome is None else outcome.usage,
        timings=None if outcome is None else outcome.timings,
        charged_cpu_seconds=report.charged_cpu_seconds,
        content=_content(report, keep) if keep.code or keep.output else None,
    )


def _content(report: Report, keep: Records) -> Content:
    cutter = _Cutter(keep.content_bytes)
    request = report.request
    return Content(
        files=cutter.files(request.files) if keep.code else None,
        args=cutter.args(request.args) if keep.code else None,
        stdin=cutter.cut(request.stdin) if keep.code else None,
        stdout=cutter.cut(report.stdout) if keep.output else None,
        stderr=cutter.cut(report.stderr) if keep.output else None,
        truncated=cutter.cut_off,
    )


class _Cutter:
    """Cuts contents to what may be kept of each."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.cut_off = False
        """Whether anything was."""

    def cut(self, data: bytes, most_bytes: int | None = None) -> bytes:
        most_bytes = self._most_bytes if most_bytes is None else most_bytes
        if len(data) <= most_bytes:
            return data
        self.cut_off = True
        end = most_bytes
        # Not in the middle of a character: what is text stays text. One has four bytes at most.
        while end > max(0, most_bytes - 3) and data[end] & 0xC0 == 0x80:
            end -= 1
        return data[:end]

    def files(self, files: tuple[SourceFile, ...]) -> dict[str, bytes]:
        kept, left = {}, self._most_bytes
        for file in files:
            kept[file.path] = self.cut(file.content, left)
            left -= len(kept[file.path])
        return kept

    def args(self, args: tuple[str, ...]) -> tuple[str, ...]:
        kept, left = [], self._most_bytes
        for arg in args:
            left -= len(arg.encode())
            if left < 0:
                self.cut_off = True
                break
            kept.append(arg)
        return tuple(kept)
