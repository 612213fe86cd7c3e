"""A notice is brought to its webhook until a 2xx or the end of the schedule."""

from collections.abc import Callable

import pytest
from simulator_fakes import KEY, RecordingPost

from efi_simulator.domain.nouns import Notice, NoticeKind
from efi_simulator.effects.deliver_notice import deliver_notice
from efi_simulator.ports import Attempt

NOTICE = Notice(key=KEY, kind=NoticeKind.RECEIVED, item={"endToEndId": "E1"})
URL = "https://ibora.invalid/webhooks/efi"


async def deliver(
    post: RecordingPost, *, url_of: Callable[[str], str | None] = lambda _: URL
) -> tuple[bool, list[float]]:
    waits: list[float] = []
    seen: list[Attempt] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    done = await deliver_notice(
        post, notice=NOTICE, url_of=url_of, minute_s=60, sleep=sleep, watch=seen.append
    )
    return done, waits


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_2xx_is_enough(status: int) -> None:
    post = RecordingPost([status])
    assert await deliver(post) == (True, [])
    assert post.posted == [(f"{URL}/pix", {"pix": [{"endToEndId": "E1"}]}, True)]


@pytest.mark.parametrize("failure", [301, 404, 429, 500, "ReadError"])
async def test_anything_else_is_tried_again_after_five_minutes(failure: int | str) -> None:
    assert await deliver(RecordingPost([failure])) == (True, [300.0])


async def test_after_ten_attempts_it_is_given_up() -> None:
    post = RecordingPost([500] * 20)
    done, waits = await deliver(post)
    assert not done
    assert len(post.posted) == 10
    assert [wait / 60 for wait in waits] == [5, 10, 20, 40, 80, 160, 320, 640, 1280]


async def test_a_webhook_that_moved_is_followed() -> None:
    urls = iter([URL, "https://elsewhere.invalid/x?ignorar="])
    post = RecordingPost([500])
    await deliver(post, url_of=lambda _: next(urls))
    assert [url for url, _, _ in post.posted] == [f"{URL}/pix", "https://elsewhere.invalid/x?ignorar=/pix"]


async def test_a_webhook_that_was_removed_ends_it() -> None:
    urls = iter([URL, None])
    post = RecordingPost([500])
    assert (await deliver(post, url_of=lambda _: next(urls)))[0] is False
    assert len(post.posted) == 1
