"""What a client sent, read by msgspec, whose errors become ours."""

from typing import TypeVar

import msgspec

from soulbox_core.errors import InvalidRequest

_SENTENCE = 200
"""Most characters of an error message that may quote the client."""

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes | str) -> T:
    """Read JSON.

    :raises InvalidRequest: it is not JSON, or not what is expected; says where
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from None


def invalid(message: str, root: str = "") -> InvalidRequest:
    """Turn msgspec's "Expected `int`, got `str` - at `$.limits.cpus`" into sentence and field.

    The sentence may quote what the client sent, so it is cut.

    :param root: name of what stands for `$`, if that is not the JSON body
    """
    text, _, path = message.partition(" - at `$")
    field = (root + path.rstrip("`")).strip(".")
    if len(text) > _SENTENCE:
        text = text[:_SENTENCE] + "..."
    return InvalidRequest(text[0].lower() + text[1:], field=field or None)
