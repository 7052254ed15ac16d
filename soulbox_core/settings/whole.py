"""All of it."""

import os
from collections.abc import Mapping
from typing import Annotated

import msgspec

from soulbox_core.settings.borders import Grpc, Server
from soulbox_core.settings.callers import Auth, Egress, PolicySettings, Rates
from soulbox_core.settings.cells import Admission, Cache, Cgroup, Images, Podman, Pool
from soulbox_core.settings.languages import LanguageSettings, Plugins
from soulbox_core.settings.limits import LimitSettings
from soulbox_core.settings.memory import Database, Records, Results
from soulbox_core.settings.section import Section
from soulbox_core.settings.telemetry import Telemetry


def _state_dir() -> str:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(base, "soulbox")


VolumeName = Annotated[
    str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63}){0,3}$")
]


class Settings(Section):
    """Everything an operator can set."""

    state_dir: str = msgspec.field(default_factory=_state_dir)
    """Images, storage and instance identities; survives restarts."""
    instance: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")] = "main"
    """Name of this process among those that share state_dir; each has its own containers."""
    server: Server = Server()
    grpc: Grpc = Grpc()
    auth: Auth = Auth()
    rates: Rates = Rates()
    policies: Mapping[str, PolicySettings] = {}
    """What callers may do, by the policy's name."""
    volumes: Mapping[VolumeName, str] = {}
    """Directories of the host that runs may be given read-only, by the name they ask for."""
    egress: Egress = Egress()
    limits: LimitSettings = LimitSettings()
    admission: Admission = Admission()
    pool: Pool = Pool()
    cache: Cache = Cache()
    results: Results = Results()
    database: Database = Database()
    records: Records = Records()
    telemetry: Telemetry = Telemetry()
    podman: Podman = Podman()
    images: Images = Images()
    cgroup: Cgroup = Cgroup()
    plugins: Plugins = Plugins()
    languages: Mapping[str, LanguageSettings] = {}
    log_level: str = "info"

    def __post_init__(self) -> None:
        least = self.server.request_bytes + self.limits.ceiling.output_bytes
        if self.server.held_bytes < least:
            raise ValueError(
                "server.held_bytes must be at least server.request_bytes and "
                f"limits.ceiling.output_bytes together, {least}, or no such run fits"
            )
        if self.server.idempotency_redis:
            self.results.check_secret("server.idempotency_redis")

    def language(self, name: str) -> LanguageSettings:
        """The operator's table for a language, or one that changes nothing."""
        return self.languages.get(name, LanguageSettings())
