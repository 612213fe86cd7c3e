"""Too many failed logins."""

from kernel.refusals import Refusal


class TooManyAttempts(Refusal):
    """Wait `retry_after_s` seconds; the account itself is not locked."""

    code = "too_many_attempts"
    status = 429
    final = False
    pt = "Muitas tentativas de entrar. Aguarde um pouco e tente de novo."
    en = "Too many attempts to log in. Wait a moment and try again."
