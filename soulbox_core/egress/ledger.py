"""What a cell had to do with whom, and how much it still may."""

from soulbox_core.model import Visit

_ENTRIES = 64
"""Most hosts that are told of; what others cost is counted all the same."""
_CONNECTION_BYTES = 16384
"""What opening a connection counts for, so that the budget bounds their number as well."""


class Spent(Exception):
    """The budget is used up."""


class Account:
    """One host's page."""

    def __init__(self, ledger: "Ledger", host: str, port: int, allowed: bool) -> None:
        self._ledger = ledger
        self._host, self._port, self._allowed = host, port, allowed
        self._connections = self._sent = self._received = 0

    def connect(self) -> None:
        """:raises Spent:"""
        self._connections += 1
        self._ledger.spend(_CONNECTION_BYTES)

    def send(self, count: int) -> None:
        """:raises Spent:"""
        self._sent += count
        self._ledger.spend(count)

    def receive(self, count: int) -> None:
        """:raises Spent:"""
        self._received += count
        self._ledger.spend(count)

    @property
    def visit(self) -> Visit:
        return Visit(
            host=self._host,
            port=self._port,
            allowed=self._allowed,
            connections=self._connections,
            sent_bytes=self._sent,
            received_bytes=self._received,
        )


class Ledger:
    """All pages.

    :param budget_bytes: what may be sent and received, all hosts together
    """

    def __init__(self, budget_bytes: int) -> None:
        self._left = budget_bytes
        self._accounts: dict[tuple[str, int, bool], Account] = {}

    def account(self, host: str, port: int, *, allowed: bool) -> Account:
        """The page of a host."""
        key = (host, port, allowed)
        account = self._accounts.get(key)
        if account is None:
            account = Account(self, host, port, allowed)
            if len(self._accounts) < _ENTRIES:
                self._accounts[key] = account
        return account

    def spend(self, count: int) -> None:
        """:raises Spent: it is more than is left"""
        self._left -= count
        if self._left < 0:
            raise Spent("more bytes than a run may send and receive")

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self._left < 0

    @property
    def visits(self) -> tuple[Visit, ...]:
        """What came to be so far, in the order in which the hosts were first asked for."""
        return tuple(account.visit for account in self._accounts.values())
