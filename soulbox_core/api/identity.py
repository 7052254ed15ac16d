"""/v1/auth, /v1/keys and /.well-known/jwks.json: who callers are."""

from collections.abc import Mapping
from time import time
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from soulbox_core.api.body import Headers, read_body
from soulbox_core.api.decoding import decoded
from soulbox_core.api.guard import credential_of
from soulbox_core.api.hold import Hold
from soulbox_core.api.identity_schema import (
    KeyAnswer,
    KeyBody,
    KeyInfo,
    KeyList,
    KeySet,
    RefreshBody,
    RevokeBody,
    Revoked,
    RotateAnswer,
    TokenAnswer,
    TokenBody,
)
from soulbox_core.api.ports import Identity
from soulbox_core.api.streams import JSON
from soulbox_core.errors import Unauthenticated, UnsupportedMedia
from soulbox_core.identity.identity import Grant
from soulbox_core.store.records import ApiKey

BODY_BYTES = 16 << 10
BODY_SECONDS = 30.0

_CREATED = 201
_KEY_SET_SECONDS = 300
_TOKEN = msgspec.json.Decoder(TokenBody)
_REFRESH = msgspec.json.Decoder(RefreshBody)
_REVOKE = msgspec.json.Decoder(RevokeBody)
_KEY = msgspec.json.Decoder(KeyBody)

T = TypeVar("T")


class IdentityEndpoints:
    """Reads, asks, answers; what may be done is the identity's to say."""

    def __init__(self, identity: Identity, hold: Hold) -> None:
        self._identity = identity
        self._hold = hold

    async def token(self, request: Request) -> Response:
        credential = credential_of(request.scope["headers"])
        if credential is None:
            raise Unauthenticated
        body = await self._body(request, _TOKEN, TokenBody())
        scopes = None if body.scope is msgspec.UNSET else tuple(body.scope.split())
        return _granted(await self._identity.grant(credential, scopes))

    async def refresh(self, request: Request) -> Response:
        body = await self._body(request, _REFRESH)
        return _granted(await self._identity.refresh(body.refresh_token))

    async def revoke(self, request: Request) -> Response:
        body = await self._body(request, _REVOKE)
        await self._identity.revoke(body.token)
        return _json(Revoked())

    async def rotate(self, request: Request) -> Response:
        return _json(RotateAnswer(kid=self._identity.rotate()))

    async def jwks(self, request: Request) -> Response:
        keys = msgspec.convert(self._identity.jwks(), KeySet)
        return _json(keys, cache=f"public, max-age={_KEY_SET_SECONDS}")

    async def list_keys(self, request: Request) -> Response:
        return _json(KeyList(keys=tuple(map(_info, await self._identity.keys()))))

    async def create_key(self, request: Request) -> Response:
        body = await self._body(request, _KEY, KeyBody())
        expires_at = None if body.expires_in is msgspec.UNSET else time() + body.expires_in
        key, text = await self._identity.create_key(body.name, body.scopes, body.policy, expires_at)
        return _json(KeyAnswer(key=text, **msgspec.structs.asdict(_info(key))), _CREATED)

    async def revoke_key(self, request: Request) -> Response:
        key = await self._identity.revoke_key(request.path_params["key"])
        if key is None:
            raise HTTPException(404, "there is no such key")
        return _json(_info(key))

    async def _body(
        self, request: Request, decoder: msgspec.json.Decoder[T], otherwise: T | None = None
    ) -> T:
        """The JSON body.

        :param otherwise: what an empty one stands for; None lets none be empty
        """
        headers = Headers(request.scope["headers"])
        with self._hold.share() as share:
            body = await read_body(
                request.receive, headers.length(), BODY_BYTES, share, BODY_SECONDS
            )
        if not body and otherwise is not None:
            return otherwise
        if not headers.is_json():
            raise UnsupportedMedia("send JSON, with content-type: application/json")
        return decoded(decoder, body)


def _granted(grant: Grant) -> Response:
    return _json(
        TokenAnswer(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_in=int(grant.expires_in),
            scope=" ".join(grant.scopes),
        )
    )


def _info(key: ApiKey) -> KeyInfo:
    return KeyInfo(
        id=key.id,
        name=key.name,
        scopes=key.scopes,
        policy=key.policy,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )


def _json(value: msgspec.Struct, status: int = 200, cache: str = "no-store") -> Response:
    headers: Mapping[str, str] = {"cache-control": cache}
    return Response(msgspec.json.encode(value), status, headers, media_type=JSON)
