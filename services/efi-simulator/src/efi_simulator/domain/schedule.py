"""When Efí tries a webhook again (reference §1.7). Its tenth, after 36 days, is left out."""

from typing import Final

RETRY_MINUTES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
