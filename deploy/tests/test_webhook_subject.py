"""Whoever calls webhooks comes from the environment of Efí that we call."""

import pytest
from deploy_checks.webhook_subject import of_environment

PRODUCTION, HOMOLOGATION = "webhook.efipay.com.br", "webhook-h.efipay.com.br"


def a_listener(*, host: str, subject: str, environment: str = "production") -> dict[str, str]:
    return {
        "WEBHOOK_PORT": "8443",
        "WEBHOOK_CLIENT_SUBJECT": subject,
        "EFI_BASE_URL": f"https://{host}",
        "ENVIRONMENT": environment,
    }


CASES = [
    ("pix.api.efipay.com.br", "production", PRODUCTION),
    ("pix.api.efipay.com.br", "staging", PRODUCTION),
    ("pix-h.api.efipay.com.br", "staging", HOMOLOGATION),
    ("pix-h.api.efipay.com.br", "production", HOMOLOGATION),
    ("efi-proxy.example.com", "production", PRODUCTION),
    ("efi-simulator:8443", "development", HOMOLOGATION),
]


@pytest.mark.parametrize(("host", "environment", "subject"), CASES)
def test_the_subject_of_the_environment_passes_and_the_other_is_named(
    host: str, environment: str, subject: str
) -> None:
    other = HOMOLOGATION if subject == PRODUCTION else PRODUCTION
    sound = a_listener(host=host, environment=environment, subject=subject)
    unsound = a_listener(host=host, environment=environment, subject=other)
    assert list(of_environment(sound)) == []
    assert list(of_environment(unsound)) == [
        f"WEBHOOK_CLIENT_SUBJECT is {other}, but https://{host} calls as {subject}"
    ]


def test_a_listener_that_believes_any_subject_is_named() -> None:
    deaf = a_listener(host="pix.api.efipay.com.br", subject="")
    assert len(list(of_environment(deaf))) == 1
    del deaf["WEBHOOK_PORT"]
    assert list(of_environment(deaf)) == []
