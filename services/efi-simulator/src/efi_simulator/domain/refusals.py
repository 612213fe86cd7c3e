"""What the bank refuses, by Efí's own names (reference §1.2 to §1.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a request something is wrong: Efí's `erros` entry."""

    chave: str
    caminho: str
    mensagem: str


class BankRefusal(Exception):
    """Family A: `{"nome", "mensagem"}`, with `erros` when places are known."""

    nome: ClassVar[str] = "erro_aplicacao"
    status: ClassVar[int] = 400
    mensagem: ClassVar[str] = "A requisição foi recusada."

    def __init__(
        self, mensagem: str = "", *, places: Sequence[Place] = (), status: int | None = None
    ) -> None:
        super().__init__(mensagem or self.mensagem)
        self.places = tuple(places)
        self.answers = self.status if status is None else status

    def body(self) -> dict[str, object]:
        """The error body as Efí writes it."""
        erros = [
            {"chave": one.chave, "caminho": one.caminho, "mensagem": one.mensagem} for one in self.places
        ]
        return {"nome": self.nome, "mensagem": str(self)} | ({"erros": erros} if erros else {})


class ApplicationError(BankRefusal):
    nome, status, mensagem = "erro_aplicacao", 500, "Ocorreu um erro interno. Tente novamente."


class TooManyRequests(BankRefusal):
    """Its name at Efí was not found in any source; ours is this."""

    nome, status, mensagem = "limite_excedido", 429, "O limite de requisições foi excedido."


class InvalidJson(BankRefusal):
    nome, mensagem = "json_invalido", "O JSON informado não é válido."


class InvalidAmount(BankRefusal):
    nome, mensagem = "valor_invalido", "O valor informado é inválido."


class BlockedDocument(BankRefusal):
    nome, mensagem = "documento_bloqueado", "O documento está bloqueado para esta operação."


class InvalidKey(BankRefusal):
    nome, mensagem = "chave_invalida", "A chave informada é inválida."


class KeyOfAnotherDocument(BankRefusal):
    nome = "chave_nao_pertence_ao_documento"
    mensagem = "A chave informada não pertence ao documento informado."


class UnknownCharge(BankRefusal):
    nome, mensagem = "cobranca_nao_encontrada", "Nenhuma cobrança encontrada para o txid informado."


class ChargeNotActive(BankRefusal):
    nome, mensagem = "status_cobranca_invalido", "A cobrança não está ativa."


class DuplicateTxid(BankRefusal):
    nome, status, mensagem = "txid_duplicado", 409, "O txid informado já foi utilizado."


class UnknownPix(BankRefusal):
    nome, mensagem = "pix_nao_encontrado", "Nenhum Pix encontrado para o endToEndId informado."


class UnknownRefund(BankRefusal):
    nome, mensagem = "devolucao_nao_encontrada", "Nenhuma devolução encontrada para o id informado."


class DuplicateRefund(BankRefusal):
    nome, status, mensagem = "devolucao_id_duplicado", 409, "O id da devolução já foi utilizado."


class DuplicateSend(BankRefusal):
    nome, status, mensagem = "id_envio_duplicado", 409, "O idEnvio informado já foi utilizado."


class PaymentDenied(BankRefusal):
    nome, status, mensagem = "pagamento_negado", 422, "O pagamento foi negado."


class NoWebhook(BankRefusal):
    """The documented precondition of a send. Its name at Efí was not found in any source; ours is this."""

    nome = "webhook_nao_encontrado"
    mensagem = "A chave do pagador precisa de um webhook cadastrado."


class UnknownWebhook(BankRefusal):
    nome, status, mensagem = (
        "webhook_nao_encontrado",
        404,
        "Nenhum webhook cadastrado para a chave informada.",
    )


class WebhookProbeFailed(BankRefusal):
    nome, mensagem = "webhook_invalido", "A requisição na URL informada falhou."


class Problem(BankRefusal):
    """Family B: an RFC 7807 problem, of the routes that came later."""

    title: ClassVar[str] = "Requisição inválida."

    def body(self) -> dict[str, object]:
        violations = [{"razao": one.mensagem, "propriedade": one.caminho} for one in self.places]
        return {
            "type": f"https://pix.bcb.gov.br/api/v2/error/{self.nome}",
            "title": self.title,
            "status": self.answers,
            "detail": str(self),
        } | ({"violacoes": violations} if violations else {})


class UnknownSend(Problem):
    nome, status, mensagem = "PixEnviadoNaoEncontrado", 404, "Nenhum Pix enviado encontrado."
    title = "Pix enviado não encontrado."


class UnknownReport(Problem):
    nome, status, mensagem = "RelatorioNaoEncontrado", 404, "Nenhum relatório encontrado para o id informado."
    title = "Relatório não encontrado."


class InvalidReport(Problem):
    nome, mensagem = "RelatorioInvalido", "A data do movimento precisa ser anterior à de hoje."
    title = "Relatório inválido."


class InvalidReplay(Problem):
    nome, mensagem = "ReenvioInvalido", "Nenhum evento dos últimos 30 dias para algum dos e2eids."
    title = "Reenvio inválido."


class Unauthorized(BankRefusal):
    """Family C: OAuth2's."""

    nome, status, mensagem = "invalid_token", 401, "The access token is missing, unknown or expired."

    def body(self) -> dict[str, object]:
        return {"error": self.nome, "error_description": str(self)}


class InvalidClient(Unauthorized):
    nome, mensagem = "invalid_client", "Invalid or inactive credentials"


class MissingScope(Unauthorized):
    nome, status, mensagem = "insufficient_scope", 403, "The access token lacks a scope of this operation."


class UnsupportedGrant(Unauthorized):
    nome, status, mensagem = "unsupported_grant_type", 400, "grant_type must be client_credentials"


class ChargeNotPayable(Exception):
    """Of the control door: nobody can pay this charge now."""


class AnswerLost(Exception):
    """The connection is to be closed without an answer."""
