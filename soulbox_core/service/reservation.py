"""Room set aside for one run."""

from collections.abc import Callable

from soulbox_core.service.admission import Admission
from soulbox_core.service.room import Room


class Reservation:
    """Room set aside for a run, until whoever has it last gives it back."""

    def __init__(self, admission: Admission, room: Room) -> None:
        self._admission = admission
        self._ours = True
        self.room = room

    def shrink(self, room: Room) -> None:
        """Keep this, which is no more than there was."""
        if room != self.room:
            self._admission.shrink(self.room - room)
            self.room = room

    def hand_on(self) -> Callable[[], None]:
        """Let another decide when it is over; it calls what is returned."""
        self._ours = False
        return lambda: self._admission.release(self.room)

    def give_back(self) -> None:
        """It is over, unless it was handed on."""
        if self._ours:
            self._admission.release(self.room)
