"""What is answered where only Efí has a route, and every error body, for the OpenAPI document.

The routes themselves answer with what `domain.documents` writes; these shapes describe it and tests compare.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from efi_simulator.api.requests import Id35, Valor
from efi_simulator.domain.nouns import RefundStatus, SendStatus

E2eId = Annotated[str, Field(pattern=r"^[ED][0-9A-Z]{8}[0-9]{12}[a-zA-Z0-9]{11}$")]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Token(Answer):
    model_config = ConfigDict(extra="forbid", alias_generator=None)

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(ge=1)
    scope: str


class Solicitacao(Answer):
    solicitacao: AwareDatetime


class Horario(Solicitacao):
    liquidacao: AwareDatetime | None = None


class EnvioAceito(Answer):
    """The answer to the order; a query writes `endToEndId` instead of `e2eId`."""

    id_envio: Id35
    e2e_id: E2eId = Field(alias="e2eId")
    valor: Valor
    horario: Solicitacao
    status: Literal["EM_PROCESSAMENTO"]


class Erro(Answer):
    codigo: str
    origem: str
    motivo: str


class Extras(Answer):
    tarifa: Valor | None = None


class Retorno(Answer):
    id: str
    rtr_id: E2eId
    valor: Valor
    horario: Horario
    status: RefundStatus


class Identificacao(Answer):
    nome: str
    cpf: str


class Favorecido(Answer):
    chave: str
    identificacao: Identificacao


class Enviado(Answer):
    end_to_end_id: E2eId
    id_envio: Id35
    valor: Valor
    chave: str
    status: SendStatus
    horario: Horario
    favorecido: Favorecido
    info_pagador: str | None = None
    gn_extras: Extras | None = None
    erro: Erro | None = None
    devolucoes: list[Retorno] | None = None


class Paginacao(Answer):
    pagina_atual: int = Field(ge=0)
    itens_por_pagina: int = Field(ge=1)
    quantidade_de_paginas: int = Field(ge=1)
    quantidade_total_de_itens: int = Field(ge=0)


class Parametros(Answer):
    inicio: AwareDatetime
    fim: AwareDatetime
    paginacao: Paginacao


class EnviadosConsultados(Answer):
    parametros: Parametros
    pix: list[Enviado]


class Bloqueios(Answer):
    judicial: Valor
    med: Valor
    total: Valor


class Saldo(Answer):
    saldo: Valor
    bloqueios: Bloqueios | None = None


class Relatorio(Answer):
    """A statement that is being made."""

    id: str
    data_movimento: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    status: Literal["EM_PROCESSAMENTO"]


class Lugar(Answer):
    chave: str
    caminho: str
    mensagem: str


class ErroA(Answer):
    """Family A, and A+ with `erros`."""

    nome: str
    mensagem: str
    erros: list[Lugar] | None = None


class Violacao(Answer):
    razao: str
    propriedade: str


class ErroB(Answer):
    """Family B: a problem, in `application/problem+json`."""

    type: str = Field(pattern=r"^https://pix\.bcb\.gov\.br/api/v2/error/[A-Za-z]+$")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    violacoes: list[Violacao] | None = None


class ErroC(Answer):
    """Family C: OAuth2's."""

    model_config = ConfigDict(extra="forbid", alias_generator=None)

    error: str
    error_description: str


Responses = dict[int | str, dict[str, Any]]
ERRORS: Final[Responses] = {
    "4XX": {"model": ErroA | ErroC, "description": "Refused, in family A or C"},
    "5XX": {"model": ErroA, "description": "It may have happened"},
}
PROBLEMS: Final[Responses] = ERRORS | {
    "4XX": {
        "model": ErroA | ErroC,
        "description": "Refused, in family A, B or C",
        "content": {"application/problem+json": {"schema": ErroB.model_json_schema()}},
    }
}


def answered(status: int, model: Any, *, by: Responses = ERRORS) -> Responses:
    """The document of a route that answers so."""
    return {status: {"model": model}} | by
