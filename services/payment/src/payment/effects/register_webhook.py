"""Tell Efí where to report."""

from payment.domain.provider import ProviderError
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps


async def register_webhook(deps: Deps, *, url: str) -> bool:
    """Register `url` for our key unless it is registered; False when Efí refused or did not answer.

    Efí probes the URL twice first, without and with its certificate, so our listener must be up.
    """
    try:
        if await deps.provider.webhook_url() != url:
            await deps.provider.register_webhook(url)
    except ProviderError:
        PROVIDER_FAILURES.labels("register_webhook", "unclear").inc()
        return False
    return True
