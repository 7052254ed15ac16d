"""What makes the proxies of all cells, from the operator's settings."""

from collections.abc import Iterable

import msgspec

from soulbox_core.egress.addresses import Addresses
from soulbox_core.egress.dial import Dialer, Resolve, system_resolver
from soulbox_core.egress.hosts import Way
from soulbox_core.egress.proxy import Proxy
from soulbox_core.errors import SettingsError
from soulbox_core.settings import Egress


class Gateway:
    """Makes a proxy for each cell that has a way out.

    :param own_ports: where the service itself listens
    :raises SettingsError: `private_networks` has what is none
    """

    def __init__(
        self,
        settings: Egress,
        own_ports: Iterable[int] = (),
        resolve: Resolve = system_resolver,
    ) -> None:
        try:
            addresses = Addresses(settings.private_networks, own_ports)
        except ValueError as error:
            raise SettingsError(f"egress.private_networks: {error}") from None
        self._settings = settings
        self._dialer = Dialer(addresses, settings.connect_seconds, resolve)

    def proxy(self, way: Way, most_bytes: int | None = None) -> Proxy:
        """A proxy that leads this way.

        :param most_bytes: replaces the setting
        """
        bounds = self._settings
        if most_bytes is not None:
            bounds = msgspec.structs.replace(bounds, bytes=most_bytes)
        return Proxy(way, self._dialer, bounds)
