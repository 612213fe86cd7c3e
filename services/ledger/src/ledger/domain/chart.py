"""The chart of accounts (ARCHITECTURE §3). A change here needs a migration that seeds it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.ledger import EntryType
from kernel.refusals import Invalid


class AccountType(StrEnum):
    """The blueprint's types, and EQUITY for the owners' capital."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"


class Classification(StrEnum):
    """Only DETAIL accounts take entries; a HEADER groups them."""

    HEADER = "HEADER"
    DETAIL = "DETAIL"


class OwnerKind(StrEnum):
    """Whose sub-balances an account keeps."""

    DRIVER = "driver"
    PASSENGER = "passenger"


class PostingPolicy(StrEnum):
    """Whether a posting on an account only records, or is decided over the balance, which is locked for it."""

    RECORDING = "RECORDING"
    AUTHORISING = "AUTHORISING"


class UnknownAccount(Invalid):
    """No such account, or a header, which takes no entries."""

    code = "unknown_account"
    pt = "Conta contábil desconhecida."
    en = "Unknown ledger account."


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of the chart. `owner` says that each entry names a driver or a passenger."""

    code: str
    name: str
    account_type: AccountType
    classification: Classification = Classification.DETAIL
    owner: OwnerKind | None = None

    @property
    def normal_side(self) -> EntryType:
        """The side on which the balance of this account grows."""
        debit_grows = self.account_type in (AccountType.ASSET, AccountType.EXPENSE)
        return EntryType.DEBIT if debit_grows else EntryType.CREDIT

    @property
    def policy(self) -> PostingPolicy:
        """What is owed to somebody can be spent, so it is authorised; the platform's accounts only record."""
        return PostingPolicy.RECORDING if self.owner is None else PostingPolicy.AUTHORISING


BANK: Final = "1100"
PIX_RECEIVABLE: Final = "1300"
DRIVER_RECEIVABLE: Final = "1350"
PASSENGER_RECEIVABLE: Final = "1360"
DRIVER_PAYABLE: Final = "2100"
PAYOUT_IN_TRANSIT: Final = "2150"
PASSENGER_CREDIT: Final = "2200"
UNIDENTIFIED_PIX: Final = "2900"
CAPITAL: Final = "3100"
RIDE_REVENUE: Final = "4100"
COMMISSION: Final = "4200"
CANCELLATION_FEES: Final = "4300"
PIX_FEES: Final = "5100"
ABSORBED_REFUNDS: Final = "5200"


def _header(code: str, name: str, account_type: AccountType) -> Account:
    return Account(code=code, name=name, account_type=account_type, classification=Classification.HEADER)


def _detail(code: str, name: str, account_type: AccountType, owner: OwnerKind | None = None) -> Account:
    return Account(code=code, name=name, account_type=account_type, owner=owner)


CHART: Final = (
    _header("1000", "ATIVO", AccountType.ASSET),
    _detail(BANK, "BANCO_CORRENTE", AccountType.ASSET),
    _detail(PIX_RECEIVABLE, "PIX_A_RECEBER", AccountType.ASSET),
    _detail(DRIVER_RECEIVABLE, "MOTORISTAS_A_RECEBER", AccountType.ASSET, OwnerKind.DRIVER),
    _detail(PASSENGER_RECEIVABLE, "PASSAGEIROS_A_RECEBER", AccountType.ASSET, OwnerKind.PASSENGER),
    _header("2000", "PASSIVO", AccountType.LIABILITY),
    _detail(DRIVER_PAYABLE, "MOTORISTAS_A_PAGAR", AccountType.LIABILITY, OwnerKind.DRIVER),
    _detail(PAYOUT_IN_TRANSIT, "REPASSES_EM_TRANSITO", AccountType.LIABILITY, OwnerKind.DRIVER),
    _detail(PASSENGER_CREDIT, "CREDITOS_DE_PASSAGEIROS", AccountType.LIABILITY, OwnerKind.PASSENGER),
    _detail(UNIDENTIFIED_PIX, "PIX_NAO_IDENTIFICADO", AccountType.LIABILITY),
    _header("3000", "PATRIMONIO_LIQUIDO", AccountType.EQUITY),
    _detail(CAPITAL, "CAPITAL", AccountType.EQUITY),
    _header("4000", "RECEITAS", AccountType.INCOME),
    _detail(RIDE_REVENUE, "RECEITA_CORRIDAS", AccountType.INCOME),
    _detail(COMMISSION, "COMISSAO_PLATAFORMA", AccountType.INCOME),
    _detail(CANCELLATION_FEES, "TAXAS_DE_CANCELAMENTO", AccountType.INCOME),
    _header("5000", "DESPESAS", AccountType.EXPENSE),
    _detail(PIX_FEES, "TARIFAS_PIX", AccountType.EXPENSE),
    _detail(ABSORBED_REFUNDS, "ESTORNOS_ASSUMIDOS", AccountType.EXPENSE),
)

_BY_CODE: Final = {account.code: account for account in CHART}
_DETAIL: Final = {a.code: a for a in CHART if a.classification is Classification.DETAIL}

# Asked for each line of each journal.
NORMAL_SIDE: Final = {code: a.normal_side for code, a in _DETAIL.items()}
OWNER: Final = {code: a.owner for code, a in _DETAIL.items()}

DRIVER_ACCOUNTS: Final = tuple(a.code for a in CHART if a.owner is OwnerKind.DRIVER)


def account(code: str) -> Account:
    """The account of that code; UnknownAccount when there is none."""
    if code not in _BY_CODE:
        raise UnknownAccount(code)
    return _BY_CODE[code]


def detail_account(code: str) -> Account:
    """The account of that code if it takes entries; UnknownAccount otherwise."""
    if code in _DETAIL:
        return _DETAIL[code]
    raise UnknownAccount(f"{account(code).code} is a header")
