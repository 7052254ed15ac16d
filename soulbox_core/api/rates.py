"""How a caller stands with its buckets, as headers."""

from collections.abc import Iterable

from soulbox_core.model import Standing


def rate_headers(standings: Iterable[Standing]) -> list[tuple[bytes, bytes]]:
    """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10, section 3 and 4).

    Quota and window are those of a full bucket; `r` is what is left, `t` when it is full again.
    """
    standings = tuple(standings)
    policies = ", ".join(
        f'"{each.share}";q={each.limit};w={max(1, round(each.window_seconds))}'
        for each in standings
    )
    limits = ", ".join(
        f'"{each.share}";r={each.remaining};t={-int(-each.reset_seconds // 1)}'
        for each in standings
    )
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", limits.encode())]
