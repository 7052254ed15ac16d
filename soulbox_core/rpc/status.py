"""From an exception to a gRPC status with details, by the one table of problems."""

from collections.abc import Mapping
from http import HTTPStatus

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from msgspec import UNSET

from soulbox_core.api.problems import Problem, problem_for

DOMAIN = "soulbox"
DETAILS = "grpc-status-details-bin"
"""Trailing metadata with a google.rpc.Status (https://github.com/grpc/proposal, A112)."""

_CODES: Mapping[int, grpc.StatusCode] = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNPROCESSABLE_ENTITY: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}


def code_for(status: int) -> grpc.StatusCode:
    """The code that stands for an HTTP status."""
    return _CODES.get(status, grpc.StatusCode.INTERNAL)


def described(error: Exception, request_id: str) -> tuple[grpc.StatusCode, str, bytes]:
    """Word an exception for the client.

    :return: code, message, and a serialised google.rpc.Status with ErrorInfo, whose reason is the
        problem's code, and BadRequest and RetryInfo where they fit
    """
    problem = problem_for(error, request_id)
    code = code_for(problem.status)
    number: int = code.value[0]
    status = status_pb2.Status(code=number, message=problem.detail)
    for detail in _details(problem):
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return code, problem.detail, status.SerializeToString()


def _details(problem: Problem) -> list[Message]:
    told = {"instance": problem.instance}
    if problem.known is not UNSET:
        told["known"] = " ".join(problem.known)
    for name in ("limit", "asked", "ceiling"):
        value = getattr(problem, name)
        if value is not UNSET:
            told[name] = str(value)
    info = error_details_pb2.ErrorInfo(reason=problem.code, domain=DOMAIN, metadata=told)
    details: list[Message] = [info]
    if problem.field is not UNSET:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=problem.field, description=problem.detail
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if problem.retry_after_seconds is not UNSET:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(problem.retry_after_seconds)
        details.append(retry)
    return details
