"""Why JSON was not read: it is nested too deep.

The decoder reads what the types of a request name and stops at the first thing that they do not,
so no request is deeper than they are, which is less than the least `server.json_depth`. Looking
for the depth of every body first would take seconds for 16 MiB of brackets.
"""

import re

from soulbox_core.errors import InvalidRequest

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A string, an opening or a closing bracket. No alternative can be tried twice: no input makes
this slower than its length."""
_QUOTE = b'"'
LOOKED_AT_BYTES = 4096
"""How far into a body its depth is looked for."""


def check_depth(body: bytes, most: int) -> None:
    """Say so of a body that was not read, if it begins by being nested deeper.

    :raises InvalidRequest: it does
    """
    depth = 0
    for match in _TOKEN.finditer(body, 0, LOOKED_AT_BYTES):
        token = match.group()
        if token[:1] == _QUOTE:
            continue
        if token in (b"[", b"{"):
            depth += 1
            if depth > most:
                raise InvalidRequest(f"the body is nested deeper than the {most} levels allowed")
        else:
            depth -= 1
