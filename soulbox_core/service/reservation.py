"""Memory set aside for one run."""

from collections.abc import Callable

from soulbox_core.service.admission import Admission


class Reservation:
    """Memory set aside for a run, until whoever has it last gives it back."""

    def __init__(self, admission: Admission, memory_bytes: int) -> None:
        self._admission = admission
        self._ours = True
        self.bytes = memory_bytes

    def shrink(self, memory_bytes: int) -> None:
        """Keep no more than this."""
        if memory_bytes < self.bytes:
            self._admission.shrink(self.bytes - memory_bytes)
            self.bytes = memory_bytes

    def hand_on(self) -> Callable[[], None]:
        """Let another decide when it is over; it calls what is returned."""
        self._ours = False
        return lambda: self._admission.release(self.bytes)

    def give_back(self) -> None:
        """It is over, unless it was handed on."""
        if self._ours:
            self._admission.release(self.bytes)
