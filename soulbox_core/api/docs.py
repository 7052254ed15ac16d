"""GET /openapi.json and /docs: the contract, for programs and for people."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class Page:
    """An answer that never changes."""

    def __init__(self, content: bytes, media_type: str, **headers: str) -> None:
        self._content = content
        self._media_type = media_type
        self._headers = {"cache-control": "no-cache"} | headers

    async def get(self, request: Request) -> Response:
        return Response(self._content, 200, self._headers, self._media_type)


def docs_page() -> Page:
    """The page that shows /openapi.json. It needs nothing from anywhere else."""
    html = files("soulbox_core.api").joinpath("docs.html").read_text("utf-8")
    return Page(html.encode(), "text/html", **{"content-security-policy": _policy(html)})


def _policy(html: str) -> str:
    """Lets the page's own script and style run, known by their hashes, and nothing else."""
    allowed = {kind: _source(text) for kind, text in _INLINE.findall(html)}
    return (
        f"default-src 'none'; script-src {allowed['script']}; style-src {allowed['style']}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
