"""What the service tells of itself."""

from typing import Annotated, Literal

import msgspec

from soulbox_core.settings.section import Section


class Telemetry(Section):
    """What the service tells of itself."""

    metrics: bool = True
    """Whether /metrics is there."""
    otlp: str = ""
    """Where traces go, as http://127.0.0.1:4318; empty for nowhere."""
    trace_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    """Share of the traces that begin here which is kept; one that began elsewhere is kept as it
    says itself."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written."""
