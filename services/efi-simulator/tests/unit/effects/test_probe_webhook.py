"""A webhook must turn strangers away and take what Efí sends."""

import pytest
from simulator_fakes import NOW, RecordingPost

from efi_simulator.domain.refusals import WebhookProbeFailed
from efi_simulator.effects.probe_webhook import probe_webhook

URL = "https://ibora.invalid/webhooks/efi"


@pytest.mark.parametrize("stranger", ["ReadError", 400, 403, 495])
async def test_a_url_that_demands_our_certificate_passes(stranger: int | str) -> None:
    post = RecordingPost(stranger=stranger)
    await probe_webhook(post, url=URL, now=NOW)
    assert [(url, with_certificate) for url, _, with_certificate in post.posted] == [
        (URL, False),
        (URL, True),
    ]
    assert "pix" not in post.posted[1][1]


async def test_a_url_that_lets_strangers_in_is_refused() -> None:
    with pytest.raises(WebhookProbeFailed, match="sem o certificado"):
        await probe_webhook(RecordingPost(stranger=200), url=URL, now=NOW)


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_a_url_that_does_not_take_the_test_is_refused_with_its_status(status: int) -> None:
    with pytest.raises(WebhookProbeFailed, match=str(status)):
        await probe_webhook(RecordingPost([status]), url=URL, now=NOW)


async def test_a_url_that_cannot_be_reached_is_refused_with_the_error() -> None:
    with pytest.raises(WebhookProbeFailed, match="ConnectError"):
        await probe_webhook(RecordingPost(["ConnectError"]), url=URL, now=NOW)
