"""HTTP/1.1, as Hypercorn and h11 speak it, held to our bounds."""

import h11
from hypercorn.protocol.h11 import H2ProtocolAssumedError, H11Protocol

_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"


class Http1(H11Protocol):
    """One HTTP/1.1 connection."""

    def head_under_way(self) -> bool:
        """Whether a request's head has begun and is not complete."""
        connection = self.connection
        return connection.their_state is h11.IDLE and bool(connection.trailing_data[0])

    async def goodbye(self) -> None:
        """Nothing is said before closing."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Go over to HTTP/2 for who began with its preface, and for nobody else.

        Hypercorn does for `Upgrade: h2c` too, which RFC 9113 section 3.1 has done away with: a
        proxy that passes that header on no longer sees the requests of that connection.
        """
        if event.method == b"PRI" and event.target == b"*" and event.http_version == b"2.0":
            raise H2ProtocolAssumedError(_PREFACE + self.connection.trailing_data[0])
