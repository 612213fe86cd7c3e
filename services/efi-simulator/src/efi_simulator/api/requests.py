"""What may be asked, strictly: an unknown property or a wrong type is `json_invalido`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from efi_simulator.domain.charging import Terms
from efi_simulator.domain.nouns import StatementKind

Valor = Annotated[str, Field(pattern=r"^[0-9]{1,10}\.[0-9]{2}$")]
Txid = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]{26,35}$")]
Id35 = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]{1,35}$")]
EndToEndId = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]{1,40}$")]
"""Looser than the 32 characters of the standard: Efí's own samples are shorter."""
Chave = Annotated[str, Field(min_length=1, max_length=77)]
Message = Annotated[str, Field(max_length=140)]
Cpf = Annotated[str, Field(pattern=r"^[0-9]{11}$")]
Cnpj = Annotated[str, Field(pattern=r"^[0-9A-Z]{12}[0-9]{2}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Documented(Body):
    """Somebody with at most one document."""

    cpf: Cpf | None = None
    cnpj: Cnpj | None = None

    @model_validator(mode="after")
    def _one_document(self) -> Self:
        if self.cpf is not None and self.cnpj is not None:
            raise ValueError("apenas um entre cpf e cnpj")
        return self

    @property
    def document(self) -> str | None:
        return self.cpf or self.cnpj


class Devedor(Documented):
    nome: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _has_document(self) -> Self:
        if self.document is None:
            raise ValueError("cpf ou cnpj é obrigatório")
        return self


class Calendario(Body):
    expiracao: int = Field(default=86_400, ge=1, le=2**31 - 1)


class Original(Body):
    original: Valor

    @property
    def amount(self) -> Decimal:
        return Decimal(self.original)


class InfoAdicional(Body):
    nome: str = Field(max_length=50)
    valor: str = Field(max_length=200)


class CobTerms(Body):
    """What a new charge and a revision have in common."""

    devedor: Devedor | None = None
    solicitacaoPagador: Message | None = None  # noqa: N815  # Efí's name
    infoAdicionais: Annotated[list[InfoAdicional], Field(max_length=50)] | None = None  # noqa: N815  # Efí's name

    def terms(self, *, amount: Decimal | None, key: str | None, expires_s: int | None) -> Terms:
        info = None if self.infoAdicionais is None else tuple(one.model_dump() for one in self.infoAdicionais)
        return Terms(
            amount=amount,
            key=key,
            expires_s=expires_s,
            message=self.solicitacaoPagador,
            debtor=self.devedor.model_dump(exclude_none=True) if self.devedor else None,
            info=info,
        )


class CobSolicitada(CobTerms):
    calendario: Calendario
    valor: Original
    chave: Chave


class CobRevisada(CobTerms):
    calendario: Calendario | None = None
    valor: Original | None = None
    chave: Chave | None = None
    status: Literal["REMOVIDA_PELO_USUARIO_RECEBEDOR"] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nenhum campo informado")
        return self


class DevolucaoSolicitada(Body):
    valor: Valor
    natureza: Literal["ORIGINAL", "RETIRADA"] | None = None
    descricao: Message | None = None

    @property
    def amount(self) -> Decimal:
        return Decimal(self.valor)


class WebhookSolicitado(Body):
    webhookUrl: str = Field(pattern=r"^https://[^/\s]+\S*$", max_length=2000)  # noqa: N815  # Efí's name


class Pagador(Body):
    chave: Chave
    infoPagador: Message | None = None  # noqa: N815  # Efí's name


class Favorecido(Documented):
    """By key only: `contaBanco` is not simulated."""

    chave: Chave


class EnvioSolicitado(Body):
    valor: Valor
    pagador: Pagador
    favorecido: Favorecido

    @property
    def amount(self) -> Decimal:
        return Decimal(self.valor)


class TipoRegistros(Body):
    """Efí's names of what may be asked for; what this bank never does stays empty."""

    pixRecebido: bool = False  # noqa: N815  # Efí's names, all of them
    pixEnviadoChave: bool = False  # noqa: N815
    pixEnviadoDadosBancarios: bool = False  # noqa: N815
    estornoPixEnviado: bool = False  # noqa: N815
    pixDevolucaoEnviada: bool = False  # noqa: N815
    pixDevolucaoRecebida: bool = False  # noqa: N815
    tarifaPixEnviado: bool = False  # noqa: N815
    tarifaPixRecebido: bool = False  # noqa: N815
    estornoTarifaPixEnviado: bool = False  # noqa: N815
    saldoDiaAnterior: bool = False  # noqa: N815
    saldoDia: bool = False  # noqa: N815
    transferenciaEnviada: bool = False  # noqa: N815
    transferenciaRecebida: bool = False  # noqa: N815
    estornoTransferenciaEnviada: bool = False  # noqa: N815
    tarifaTransferenciaEnviada: bool = False  # noqa: N815
    estornoTarifaTransferenciaEnviada: bool = False  # noqa: N815

    @property
    def wanted(self) -> tuple[str, ...]:
        return tuple(name for name, is_wanted in self if is_wanted)


class ExtratoSolicitado(Body):
    dataMovimento: Annotated[date, Field(strict=False)]  # noqa: N815  # Efí's name
    tipoRegistros: TipoRegistros  # noqa: N815  # Efí's name


class ReenvioSolicitado(Body):
    tipo: Literal["PIX_RECEBIDO", "PIX_ENVIADO", "DEVOLUCAO_RECEBIDA", "DEVOLUCAO_ENVIADA"]
    e2eids: Annotated[list[str], Field(min_length=1, max_length=1000)]

    @property
    def kind(self) -> StatementKind:
        return StatementKind(self.tipo)


class TokenSolicitado(Body):
    grant_type: str


class Window(BaseModel):
    """The query of every list. Texts are converted here, unlike in bodies."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    inicio: AwareDatetime
    fim: AwareDatetime
    pagina: int = Field(default=0, ge=0, alias="paginacao.paginaAtual")
    itens: int = Field(default=100, ge=1, le=1000, alias="paginacao.itensPorPagina")


class PixWindow(Window):
    txid: Id35 | None = None
    txIdPresente: bool | None = None  # noqa: N815  # Efí's name
    devolucaoPresente: bool | None = None  # noqa: N815  # Efí's name
    cpf: Cpf | None = None
    cnpj: Cnpj | None = None


class CobWindow(Window):
    status: str | None = None
    cpf: Cpf | None = None
    cnpj: Cnpj | None = None
