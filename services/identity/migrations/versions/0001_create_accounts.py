"""Accounts, sessions and signing keys.

Documents and Pix keys are sealed (AES-GCM) from the first row on; a keyed hash beside each keeps them unique.
"""

from alembic import op

from storage.migrations import create_messaging_tables, drop_messaging_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIMES = """
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()"""

USERS = f"""
CREATE TABLE users (
  id            uuid   NOT NULL,
  email         text,
  phone         text,
  password_hash text   NOT NULL,
  user_type     text   NOT NULL,
  status        text   NOT NULL DEFAULT 'active',
  status_reason text,
  version       bigint NOT NULL DEFAULT 1,{TIMES},
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT uq_users_email UNIQUE (email),
  CONSTRAINT uq_users_phone UNIQUE (phone),
  CONSTRAINT ck_users_user_type CHECK (user_type IN ('passenger', 'driver', 'admin')),
  CONSTRAINT ck_users_status CHECK (status IN ('active', 'suspended', 'banned')),
  CONSTRAINT ck_users_email CHECK (email = lower(email)),
  CONSTRAINT ck_users_login CHECK (
    CASE WHEN user_type = 'admin' THEN email IS NOT NULL OR phone IS NOT NULL
         ELSE email IS NOT NULL AND phone IS NOT NULL END)
)"""

PERSON = f"""
  id             uuid    NOT NULL,
  user_id        uuid    NOT NULL,
  full_name      text    NOT NULL,
  cpf            bytea   NOT NULL,
  cpf_index      bytea   NOT NULL,
  average_rating numeric(3,2),
  ratings_sum    bigint  NOT NULL DEFAULT 0,
  ratings_count  integer NOT NULL DEFAULT 0,
  total_rides    integer NOT NULL DEFAULT 0,{TIMES}"""

PASSENGERS = f"""
CREATE TABLE passengers ({PERSON},
  CONSTRAINT pk_passengers PRIMARY KEY (id),
  CONSTRAINT uq_passengers_user_id UNIQUE (user_id),
  CONSTRAINT uq_passengers_cpf_index UNIQUE (cpf_index),
  CONSTRAINT fk_passengers_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT ck_passengers_id CHECK (id = user_id)
)"""

DRIVERS = f"""
CREATE TABLE drivers ({PERSON},
  cnh_number         bytea       NOT NULL,
  cnh_index          bytea       NOT NULL,
  pix_key            bytea       NOT NULL,
  pix_key_index      bytea       NOT NULL,
  pix_key_type       text        NOT NULL,
  pix_key_changed_at timestamptz NOT NULL,
  approval_status    text        NOT NULL DEFAULT 'pending',
  rejection_reason   text,
  CONSTRAINT pk_drivers PRIMARY KEY (id),
  CONSTRAINT uq_drivers_user_id UNIQUE (user_id),
  CONSTRAINT uq_drivers_cpf_index UNIQUE (cpf_index),
  CONSTRAINT uq_drivers_cnh_index UNIQUE (cnh_index),
  CONSTRAINT uq_drivers_pix_key_index UNIQUE (pix_key_index),
  CONSTRAINT fk_drivers_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT ck_drivers_id CHECK (id = user_id),
  CONSTRAINT ck_drivers_pix_key_type CHECK (pix_key_type IN ('cpf', 'cnpj', 'phone', 'email', 'evp')),
  CONSTRAINT ck_drivers_approval_status CHECK (approval_status IN ('pending', 'approved', 'rejected'))
)"""

# One car may be written with an old plate or with its Mercosul form: both columns are unique.
VEHICLES = f"""
CREATE TABLE vehicles (
  id             uuid    NOT NULL,
  driver_id      uuid    NOT NULL,
  license_plate  text    NOT NULL,
  mercosul_plate text    NOT NULL,
  brand          text    NOT NULL,
  model          text    NOT NULL,
  year           integer NOT NULL,
  category       text    NOT NULL,
  status         text    NOT NULL DEFAULT 'active',{TIMES},
  CONSTRAINT pk_vehicles PRIMARY KEY (id),
  CONSTRAINT uq_vehicles_license_plate UNIQUE (license_plate),
  CONSTRAINT uq_vehicles_mercosul_plate UNIQUE (mercosul_plate),
  CONSTRAINT fk_vehicles_driver_id_drivers FOREIGN KEY (driver_id) REFERENCES drivers (id),
  CONSTRAINT ck_vehicles_category CHECK (category IN ('standard', 'comfort', 'premium', 'xl')),
  CONSTRAINT ck_vehicles_status CHECK (status IN ('active', 'inactive'))
)"""

SESSIONS = """
CREATE TABLE sessions (
  id            uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  user_type     text        NOT NULL,
  generation    integer     NOT NULL,
  address_index bytea,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  revoked_at    timestamptz,
  revoke_reason text,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
)"""

REFRESH_TOKENS = """
CREATE TABLE refresh_tokens (
  session_id uuid        NOT NULL,
  generation integer     NOT NULL,
  token_hash bytea       NOT NULL,
  nonce      bytea       NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  CONSTRAINT pk_refresh_tokens PRIMARY KEY (session_id, generation),
  CONSTRAINT uq_refresh_tokens_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_refresh_tokens_session_id_sessions
    FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
)"""

SIGNING_KEYS = """
CREATE TABLE signing_keys (
  kid         text        NOT NULL,
  public_jwk  jsonb       NOT NULL,
  private_key bytea       NOT NULL,
  active_at   timestamptz NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
  CONSTRAINT ck_signing_keys_public_jwk CHECK (NOT public_jwk ?| ARRAY['d', 'p', 'q', 'dp', 'dq', 'qi'])
)"""

INDEXES = (
    "CREATE INDEX ix_drivers_pending ON drivers (created_at, id) WHERE approval_status = 'pending'",
    "CREATE INDEX ix_vehicles_driver_id ON vehicles (driver_id)",
    "CREATE INDEX ix_sessions_user_id ON sessions (user_id, address_index)",
    "CREATE INDEX ix_sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL",
    "CREATE INDEX ix_sessions_expires_at ON sessions (expires_at)",
)

TABLES = (USERS, PASSENGERS, DRIVERS, VEHICLES, SESSIONS, REFRESH_TOKENS, SIGNING_KEYS)
NAMES = ("signing_keys", "refresh_tokens", "sessions", "vehicles", "drivers", "passengers", "users")


def upgrade() -> None:
    create_messaging_tables(op)
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)


def downgrade() -> None:
    for name in NAMES:
        op.execute(f"DROP TABLE {name}")
    drop_messaging_tables(op)
