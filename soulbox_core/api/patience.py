"""How long a client may keep its answer waiting."""

import asyncio

from soulbox_core.api.watch import ClientGone

FREE_SECONDS = 0.01
"""What a send may take without being counted as its client's doing: the loop is busy too."""


class Stalled(ClientGone):
    """The client is there, but did not take its answer in the time that it has for that."""


class Patience:
    """Breaks off a send when those of one answer have waited for too long, all together.

        with patience:
            await send(message)

    A client that takes a little now and then gains nothing by it. One timer serves all sends,
    and is looked at when it fires: `asyncio.timeout` costs 3 microseconds for each.

    :param seconds: how long that is
    """

    __slots__ = ("_began", "_cancelling", "_clock", "_left", "_sender", "_spent", "_timer")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._left = seconds
        self._clock = loop.time
        self._began = 0.0
        self._cancelling = 0
        self._sender: asyncio.Task[object] | None = None
        self._spent = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._sender = asyncio.current_task()
        self._began = self._clock()
        if self._timer is None:
            self._look_after(self._left)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """:raises Stalled: in place of the cancellation that broke off the send"""
        sender, self._sender = self._sender, None
        took = self._clock() - self._began
        if took > FREE_SECONDS:
            self._left -= took
        if self._spent and sender is not None:
            self._spent = False
            # A cancellation from elsewhere wins over ours.
            if sender.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise Stalled from None

    def close(self) -> None:
        """No more is sent."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(seconds, 0.0), self._look)

    def _look(self) -> None:
        waiting = self._clock() - self._began if self._sender is not None else 0.0
        if self._sender is None or waiting < self._left:
            self._look_after(self._left - waiting)
            return
        self._timer = None
        self._spent = True
        self._cancelling = self._sender.cancelling()
        self._sender.cancel()
