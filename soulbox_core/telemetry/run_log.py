"""One log line for each run. Never its code or output."""

import logging

import structlog

from soulbox_core.report import ERROR, Report


class RunLog:
    """A `report.Witness` that logs, in the way that was configured before."""

    def __init__(self) -> None:
        # Bound once: a logger that is not binds itself anew for each line, for some 10 us.
        self._logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(
            "soulbox.runs"
        ).bind()
        self._level = logging.getLogger("soulbox.runs")

    def ended(self, report: Report) -> None:
        """See `report.Witness.ended`."""
        failed = report.status == ERROR
        if not self._level.isEnabledFor(logging.ERROR if failed else logging.INFO):
            return
        told: dict[str, object] = {
            "id": report.id,
            "language": report.request.language,
            "caller": report.caller.id,
            "status": report.status,
            "seconds": round(report.seconds, 6),
        }
        outcome = report.outcome
        if outcome is not None:
            told |= {
                "exit_code": outcome.exit_code,
                "queue_seconds": round(outcome.timings.queue_seconds, 6),
                "claim_seconds": round(outcome.timings.claim_seconds, 6),
                "run_seconds": round(outcome.timings.run_seconds, 6),
                "cpu_seconds": round(outcome.usage.cpu_seconds, 6),
                "memory_peak_bytes": outcome.usage.memory_peak_bytes,
            }
        if failed:
            self._logger.error("run", failure=report.failure, **told)
        else:
            self._logger.info("run", **told)

    def torn_down(self, language: str, seconds: float) -> None:
        """See `report.Witness.torn_down`."""
