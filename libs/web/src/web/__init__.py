"""HTTP as every service speaks it: the app, problems, principals, idempotency, pages, probes, drain."""

from web import revocations
from web.apps import create_app, make_verifier
from web.background import Background, Closing
from web.cli import Mode, cli, service_cli
from web.clients import actor, from_gateway
from web.idempotency import IdempotencyKey, OptionalIdempotencyKey, Reply, clean_key, idempotent
from web.keys import KeySource, RemoteKeys, StaticKeys
from web.models import Body, MoneyIn, UtcTime, View
from web.openapi import Operation, errors, operations
from web.pages import Cursor, InvalidCursor, Limit, Page, decode_cursor, encode_cursor, page
from web.principals import (
    AdminOnly,
    AnyUser,
    BeforeBody,
    DriverOnly,
    PassengerOnly,
    Principal,
    authenticate,
    before_body,
    requires,
)
from web.problems import Problem, problem_response, refusal_response, request_id_of
from web.refusals import (
    IdempotencyKeyRequired,
    InvalidToken,
    MalformedJson,
    PayloadTooLarge,
    RateLimited,
    RequestTimeout,
    Unauthenticated,
)
from web.revocations import Revocation, RevocationList, Revocations
from web.secret_files import SecretFile, read_secret
from web.server import PeerCertificate, Server, peer_certificate, serve
from web.settings import WebSettings
from web.tokens import ACCESS_TOKEN_TYPE, TokenVerifier
from web.waiting import not_found_unless, wait_until_known

__all__ = [
    "ACCESS_TOKEN_TYPE",
    "AdminOnly",
    "AnyUser",
    "Background",
    "BeforeBody",
    "Body",
    "Closing",
    "Cursor",
    "DriverOnly",
    "IdempotencyKey",
    "IdempotencyKeyRequired",
    "InvalidCursor",
    "InvalidToken",
    "KeySource",
    "Limit",
    "MalformedJson",
    "Mode",
    "MoneyIn",
    "Operation",
    "OptionalIdempotencyKey",
    "Page",
    "PassengerOnly",
    "PayloadTooLarge",
    "PeerCertificate",
    "Principal",
    "Problem",
    "RateLimited",
    "RemoteKeys",
    "Reply",
    "RequestTimeout",
    "Revocation",
    "RevocationList",
    "Revocations",
    "SecretFile",
    "Server",
    "StaticKeys",
    "TokenVerifier",
    "Unauthenticated",
    "UtcTime",
    "View",
    "WebSettings",
    "actor",
    "authenticate",
    "before_body",
    "clean_key",
    "cli",
    "create_app",
    "decode_cursor",
    "encode_cursor",
    "errors",
    "from_gateway",
    "idempotent",
    "make_verifier",
    "not_found_unless",
    "operations",
    "page",
    "peer_certificate",
    "problem_response",
    "read_secret",
    "refusal_response",
    "request_id_of",
    "requires",
    "revocations",
    "serve",
    "service_cli",
    "wait_until_known",
]
