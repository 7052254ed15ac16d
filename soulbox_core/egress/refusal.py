"""What the proxy does not do, told to the program's author."""

from http import HTTPStatus


class Refusal(Exception):
    """A request that is answered by the proxy itself.

    :param why: one line of printable ASCII
    :param phrase: what stands beside the status, since many a client shows nothing else
    """

    def __init__(self, status: HTTPStatus, why: str, phrase: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.phrase = phrase or status.phrase

    @property
    def response(self) -> bytes:
        """The whole answer, after which the connection ends."""
        body = f"soulbox: {self.why}\n"
        return (
            f"HTTP/1.1 {self.status.value} {self.phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
            f"{body}"
        ).encode("ascii", "replace")
