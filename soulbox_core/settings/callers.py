"""Who callers are, and what they may do."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from soulbox_core.settings.section import Count, Positive, Seconds, Section


class Issuer(Section):
    """An outside issuer whose tokens are accepted."""

    issuer: str
    """What `iss` must be."""
    audience: str
    """What `aud` must be or hold."""
    jwks: str
    """Where its keys are: an https URL, or a file."""
    algorithms: tuple[Literal["EdDSA", "ES256", "RS256", "PS256"], ...] = ("EdDSA", "ES256")
    """The signature algorithms that are accepted; never a shared secret."""
    scopes_claim: str = "scope"
    """Claim with the scopes, as a list or as words."""
    policy_claim: str = "soulbox_policy"
    """Claim with the name of the caller's policy; without it, `default`."""


class Auth(Section):
    """Who may call."""

    enabled: bool = True
    """Whether callers must prove who they are. Without that only loopback is listened on."""
    let_anybody_on_the_network_run_code: bool = False
    """Listen elsewhere even though `enabled` is off."""
    audience: str = "soulbox"
    """The audience of tokens that this service issues."""
    issuer: Annotated[str, msgspec.Meta(pattern="^[!-~]{0,255}$")] = ""
    """What they have as `iss`; empty: a name of this instance alone."""
    signing_key: str = ""
    """PEM file with the Ed25519 key that signs them, the same on every node; empty: a key of this
    instance alone."""
    verifying_keys: tuple[str, ...] = ()
    """PEM files with more keys that they are verified by, private or public."""
    access_seconds: Seconds = 600.0
    """How long an access token is good for."""
    refresh_seconds: Seconds = 2_592_000.0
    """How long a refresh token is good for, and with it the family that it began."""
    issuers: tuple[Issuer, ...] = ()
    """Outside issuers whose tokens are accepted."""

    def __post_init__(self) -> None:
        if self.signing_key and not self.issuer:
            raise ValueError(
                "auth.signing_key needs auth.issuer, the same on every node: by that a node knows"
                " that a token is of its own service"
            )
        if self.verifying_keys and not self.signing_key:
            raise ValueError(
                "auth.verifying_keys needs auth.signing_key: without it a node has keys of its own"
            )


class Rate(Section):
    """A token bucket."""

    requests_per_second: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How fast it fills; 0 means no bound."""
    burst: Positive = 100
    """How much it holds."""


class Rates(Section):
    """How many requests are let in, besides what each caller's policy says."""

    total: Rate = Rate()
    """All callers together."""
    address: Rate = Rate(requests_per_second=20.0, burst=200)
    """One client address on paths that need no credential, and for credentials that are wrong."""
    redis: str = ""
    """Where the buckets are, such as redis://127.0.0.1:6379/0, for several nodes to share; empty
    keeps them in memory."""
    redis_seconds: Seconds = 0.05
    """Longest that Redis is waited for before the bucket in memory is used."""


class PolicySettings(Section):
    """What callers of one kind may do. The table named `default` is for those who name none."""

    ceiling: Mapping[str, float] = {}
    """Limits to the most that a run may ask for; what is not here is as in limits.ceiling."""
    languages: tuple[str, ...] = ("*",)
    """Globs of the languages that may be run."""
    network: tuple[str, ...] = ()
    """Hosts that runs may ask to reach: `name`, `*.name`, either with `:port`; without one, 80
    and 443."""
    mounts: tuple[str, ...] = ()
    """Globs of the volumes that runs may ask for."""
    hidden: tuple[str, ...] = ()
    """Absolute paths of the images that runs do not see."""
    dependencies: bool = True
    """Whether runs may ask for packages, where the language's settings allow any."""
    rate: Rate = Rate()
    """Requests of each caller."""
    concurrent: Count = 0
    """Runs of each caller at one time, waiting ones included; 0 means no bound."""
    cpu_seconds_per_day: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """CPU time of each caller's runs from midnight to midnight UTC; 0 means no bound."""
    cache: bool = False
    """Whether the result cache is asked for requests that do not say."""


class Egress(Section):
    """The way out of runs that may use the network."""

    connections: Positive = 32
    """Connections of one run at one time."""
    bytes: Positive = 256 << 20
    """What one run may send and receive, all together."""
    connect_seconds: Seconds = 10.0
    """Longest that connecting to a host may take."""
    idle_seconds: Seconds = 60.0
    """Longest that a connection may lie idle."""
    private_networks: tuple[str, ...] = ()
    """Networks, such as 10.1.0.0/16, that may be reached although they are not public."""
