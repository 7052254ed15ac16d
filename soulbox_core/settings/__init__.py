"""One typed settings object: defaults < TOML file < environment < flags.

Environment variables are `SOULBOX_` and the dotted key with `__` between its parts:
`SOULBOX_POOL__PARKED=8` is `pool.parked`. Flags are `--set pool.parked=8`.
"""

from soulbox_core.settings.borders import Grpc, Server
from soulbox_core.settings.callers import Auth, Egress, Issuer, PolicySettings, Rate, Rates
from soulbox_core.settings.cells import Admission, Cache, Cgroup, Images, Podman, Pool
from soulbox_core.settings.languages import DependencySettings, LanguageSettings, Plugins
from soulbox_core.settings.limits import Ceiling, CompileLimits, InstallLimits, LimitSettings
from soulbox_core.settings.loading import load
from soulbox_core.settings.memory import Database, Records, Results
from soulbox_core.settings.telemetry import Telemetry
from soulbox_core.settings.whole import Settings

__all__ = [
    "Admission",
    "Auth",
    "Cache",
    "Ceiling",
    "Cgroup",
    "CompileLimits",
    "Database",
    "DependencySettings",
    "Egress",
    "Grpc",
    "Images",
    "InstallLimits",
    "Issuer",
    "LanguageSettings",
    "LimitSettings",
    "Plugins",
    "Podman",
    "PolicySettings",
    "Pool",
    "Rate",
    "Rates",
    "Records",
    "Results",
    "Server",
    "Settings",
    "Telemetry",
    "load",
]
