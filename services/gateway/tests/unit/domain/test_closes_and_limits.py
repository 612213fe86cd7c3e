"""Close codes that may be sent, and what a caller is told of a window."""

import pytest

from gateway.domain.closes import Close, told_to_client, told_to_service
from gateway.domain.limits import Standing, TooManyRequests, Window

ACCEPT = Window(name="accept", limit=5, exact=True)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 4401, 4999])
def test_a_code_that_may_be_sent_is_told_as_it_is(code: int) -> None:
    for told in (told_to_client, told_to_service):
        assert told(Close(code, "why")) == Close(code, "why")


@pytest.mark.parametrize(
    ("code", "client", "service"),
    [
        (1005, 1000, 1001),
        (1006, 1012, 1001),
        (1015, 1012, 1001),
        (1004, 1011, 1011),
        (999, 1011, 1011),
        (5000, 1011, 1011),
    ],
)
def test_a_code_that_may_not_be_sent_is_translated(code: int, client: int, service: int) -> None:
    assert told_to_client(Close(code)).code == client
    assert told_to_service(Close(code)).code == service


def test_a_reason_is_cut_where_the_protocol_ends() -> None:
    assert told_to_client(Close(1000, "é" * 100)).reason == "é" * 61


def test_a_standing_is_told_in_headers() -> None:
    standing = Standing(window=ACCEPT, allowed=True, remaining=3, reset_s=41.2)
    assert standing.headers() == {"ratelimit-policy": '"accept";q=5;w=60', "ratelimit": '"accept";r=3;t=42'}


@pytest.mark.parametrize(("reset_s", "retry_after_s"), [(0.0, 1), (0.2, 1), (59.1, 60)])
def test_a_refusal_says_when_to_come_back(reset_s: float, retry_after_s: int) -> None:
    refusal = TooManyRequests(Standing(window=ACCEPT, allowed=False, remaining=0, reset_s=reset_s))
    assert (refusal.retry_after_s, refusal.status, refusal.code) == (retry_after_s, 429, "rate_limited")
