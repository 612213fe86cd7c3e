"""Open the books: chart of accounts, journals, entries, financial events, balances, seals, cases."""

from alembic import op

from kernel.ids import new_id
from storage.migrations import create_messaging_tables, drop_messaging_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CHART = (
    ("1000", "ATIVO", "ASSET", "HEADER", None),
    ("1100", "BANCO_CORRENTE", "ASSET", "DETAIL", None),
    ("1300", "PIX_A_RECEBER", "ASSET", "DETAIL", None),
    ("1350", "MOTORISTAS_A_RECEBER", "ASSET", "DETAIL", "driver"),
    ("1360", "PASSAGEIROS_A_RECEBER", "ASSET", "DETAIL", "passenger"),
    ("2000", "PASSIVO", "LIABILITY", "HEADER", None),
    ("2100", "MOTORISTAS_A_PAGAR", "LIABILITY", "DETAIL", "driver"),
    ("2150", "REPASSES_EM_TRANSITO", "LIABILITY", "DETAIL", "driver"),
    ("2200", "CREDITOS_DE_PASSAGEIROS", "LIABILITY", "DETAIL", "passenger"),
    ("2900", "PIX_NAO_IDENTIFICADO", "LIABILITY", "DETAIL", None),
    ("3000", "PATRIMONIO_LIQUIDO", "EQUITY", "HEADER", None),
    ("3100", "CAPITAL", "EQUITY", "DETAIL", None),
    ("4000", "RECEITAS", "INCOME", "HEADER", None),
    ("4100", "RECEITA_CORRIDAS", "INCOME", "DETAIL", None),
    ("4200", "COMISSAO_PLATAFORMA", "INCOME", "DETAIL", None),
    ("4300", "TAXAS_DE_CANCELAMENTO", "INCOME", "DETAIL", None),
    ("5000", "DESPESAS", "EXPENSE", "HEADER", None),
    ("5100", "TARIFAS_PIX", "EXPENSE", "DETAIL", None),
    ("5200", "ESTORNOS_ASSUMIDOS", "EXPENSE", "DETAIL", None),
)

TABLES = (
    """
CREATE TABLE ledger_accounts (
  id             uuid        PRIMARY KEY,
  code           text        NOT NULL UNIQUE,
  name           text        NOT NULL UNIQUE,
  account_type   text        NOT NULL,
  classification text        NOT NULL CHECK (classification IN ('HEADER', 'DETAIL')),
  owner_kind     text        CHECK (owner_kind IN ('driver', 'passenger')),
  active         boolean     NOT NULL DEFAULT true,
  created_at     timestamptz NOT NULL DEFAULT now(),
  CHECK (account_type IN ('ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE'))
)""",
    """
CREATE TABLE financial_events (
  id                uuid          PRIMARY KEY,
  event_type        text          NOT NULL,
  ride_id           uuid,
  payment_intent_id uuid,
  amount            numeric(10,2) NOT NULL,
  external_id       text          NOT NULL,
  occurred_at       timestamptz   NOT NULL,
  metadata          jsonb         NOT NULL DEFAULT '{}',
  created_at        timestamptz   NOT NULL DEFAULT clock_timestamp()
)""",
    "CREATE UNIQUE INDEX idx_financial_external_id ON financial_events (external_id)",
    "CREATE INDEX ix_financial_events_txid ON financial_events ((metadata->>'txid')) WHERE metadata ? 'txid'",
    """
CREATE TABLE journals (
  id               uuid        PRIMARY KEY,
  transaction_id   text        NOT NULL UNIQUE,
  event_id         uuid        NOT NULL REFERENCES financial_events (id),
  event_type       text        NOT NULL,
  entity_type      text        NOT NULL,
  entity_id        text        NOT NULL,
  reference_number text,
  description      text        NOT NULL,
  driver_id        uuid,
  line_count       smallint    NOT NULL CHECK (line_count >= 2),
  reverses         uuid        UNIQUE REFERENCES journals (id),
  transaction_date date        NOT NULL,
  occurred_at      timestamptz NOT NULL,
  created_at       timestamptz NOT NULL,
  xid              xid8        NOT NULL
)""",
    "CREATE INDEX ix_journals_entity ON journals (entity_type, entity_id)",
    "CREATE INDEX ix_journals_reference ON journals (reference_number) WHERE reference_number IS NOT NULL",
    "CREATE INDEX ix_journals_driver ON journals (driver_id, transaction_date) WHERE driver_id IS NOT NULL",
    "CREATE INDEX ix_journals_xid ON journals (xid)",
    "CREATE SEQUENCE ledger_entries_id_seq AS bigint",
    # A partitioned table's key holds the date, so reversal_entry_id has no foreign key: a trigger checks it.
    """
CREATE TABLE ledger_entries (
  id                bigint        NOT NULL DEFAULT nextval('ledger_entries_id_seq'),
  transaction_id    text          NOT NULL,
  account_id        uuid          NOT NULL REFERENCES ledger_accounts (id),
  entry_type        text          NOT NULL CHECK (entry_type IN ('DEBIT', 'CREDIT')),
  amount            numeric(19,6) NOT NULL CHECK (amount > 0),
  driver_id         uuid,
  entity_type       text          NOT NULL,
  entity_id         text          NOT NULL,
  reference_number  text,
  description       text          NOT NULL,
  reversed          boolean       NOT NULL DEFAULT false,
  reversal_entry_id bigint,
  transaction_date  date          NOT NULL,
  created_at        timestamptz   NOT NULL,
  journal_id        uuid          NOT NULL REFERENCES journals (id),
  passenger_id      uuid,
  PRIMARY KEY (id, transaction_date),
  CHECK (reversed = (reversal_entry_id IS NOT NULL))
) PARTITION BY RANGE (transaction_date)""",
    "ALTER SEQUENCE ledger_entries_id_seq OWNED BY ledger_entries.id",
    "CREATE INDEX idx_ledger_transaction ON ledger_entries (transaction_id)",
    "CREATE INDEX idx_ledger_driver ON ledger_entries (driver_id) WHERE driver_id IS NOT NULL",
    # Within a month's partition a B-tree of the day is big, and without statistics (each new month) the planner
    # prefers it to idx_ledger_transaction and reads the whole day for each check.
    "CREATE INDEX idx_ledger_date ON ledger_entries USING brin (transaction_date)",
    # The row of the nil owner is the account itself: what has been folded of it so far.
    """
CREATE TABLE account_balances (
  account_id uuid          NOT NULL REFERENCES ledger_accounts (id),
  owner_id   uuid          NOT NULL,
  balance    numeric(19,6) NOT NULL DEFAULT 0,
  version    bigint        NOT NULL DEFAULT 0,
  updated_at timestamptz   NOT NULL,
  PRIMARY KEY (account_id, owner_id),
  CONSTRAINT ck_account_balances_not_negative
    CHECK (balance >= 0 OR owner_id = '00000000-0000-0000-0000-000000000000')
) WITH (fillfactor = 70)""",
    "CREATE INDEX ix_account_balances_owner ON account_balances (owner_id)",
    """
CREATE TABLE running_balance_mark (
  only_row  boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  folded_to xid8        NOT NULL,
  folded_at timestamptz NOT NULL
)""",
    "INSERT INTO running_balance_mark (folded_to, folded_at) VALUES ('0', 'epoch')",
    """
CREATE TABLE ledger_seals (
  seq           bigint        PRIMARY KEY CHECK (seq > 0),
  from_xid      xid8          NOT NULL,
  to_xid        xid8          NOT NULL,
  journal_count integer       NOT NULL CHECK (journal_count > 0),
  entry_count   integer       NOT NULL,
  previous_hash bytea         NOT NULL UNIQUE CHECK (octet_length(previous_hash) = 32),
  hash          bytea         NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  sealed_at     timestamptz   NOT NULL
)""",
    """
CREATE TABLE reconciliation_cases (
  id          uuid          PRIMARY KEY,
  kind        text          NOT NULL,
  reference   text          NOT NULL,
  external_id text          NOT NULL UNIQUE,
  amount      numeric(10,2) NOT NULL,
  detail      text          NOT NULL,
  status      text          NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  opened_at   timestamptz   NOT NULL
)""",
    "CREATE INDEX ix_reconciliation_cases_open ON reconciliation_cases (opened_at) WHERE status = 'open'",
)


def upgrade() -> None:
    create_messaging_tables(op)
    for statement in TABLES:
        op.execute(statement)
    _seed_chart()


def _seed_chart() -> None:
    for code, name, account_type, classification, owner_kind in CHART:
        owner = f"'{owner_kind}'" if owner_kind else "NULL"
        op.execute(f"""
INSERT INTO ledger_accounts (id, code, name, account_type, classification, owner_kind)
VALUES ('{new_id()}', '{code}', '{name}', '{account_type}', '{classification}', {owner})""")


def downgrade() -> None:
    for table in (
        "reconciliation_cases",
        "ledger_seals",
        "running_balance_mark",
        "account_balances",
        "ledger_entries",
        "journals",
        "financial_events",
        "ledger_accounts",
    ):
        op.execute(f"DROP TABLE {table}")
    drop_messaging_tables(op)
