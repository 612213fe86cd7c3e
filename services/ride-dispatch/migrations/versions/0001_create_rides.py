"""Rides, offers, accept attempts, drivers' states, quotes, ratings, the profiles projection, locations."""

from alembic import op

from storage.migrations import (
    app_role,
    create_idempotency_table,
    create_messaging_tables,
    drop_idempotency_table,
    drop_messaging_tables,
)

revision = "0001"
down_revision = None

TIMES = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
STATUSES = (
    "'REQUESTED', 'SEARCHING', 'OFFERED', 'ACCEPTED', 'DRIVER_ARRIVED', 'IN_PROGRESS', 'COMPLETED', "
    "'PAYMENT_PENDING', 'PAID', 'REFUNDED', 'CANCELED', 'NO_DRIVER_FOUND'"
)
DRIVEN = "('ACCEPTED', 'DRIVER_ARRIVED', 'IN_PROGRESS')"
OPEN = "('REQUESTED', 'SEARCHING', 'OFFERED', 'ACCEPTED', 'DRIVER_ARRIVED', 'IN_PROGRESS')"
CATEGORIES = "('standard', 'comfort', 'premium', 'xl')"

# The database, too, holds what a state means, so that no code path can leave half a ride behind.
RIDES = f"""
CREATE TABLE rides (
  id                 uuid          PRIMARY KEY,
  passenger_id       uuid          NOT NULL,
  driver_id          uuid,
  status             text          NOT NULL CHECK (status IN ({STATUSES})),
  version            integer       NOT NULL CHECK (version > 0),
  category           text          NOT NULL CHECK (category IN {CATEGORIES}),
  pickup_lat         numeric(10,8) NOT NULL,
  pickup_lon         numeric(11,8) NOT NULL,
  dropoff_lat        numeric(10,8) NOT NULL,
  dropoff_lon        numeric(11,8) NOT NULL,
  quote_id           uuid,
  estimated_fare     numeric(10,2) NOT NULL CHECK (estimated_fare >= 0),
  final_fare         numeric(10,2) CHECK (final_fare >= 0),
  commission_bps     integer       NOT NULL CHECK (commission_bps BETWEEN 0 AND 10000),
  commission         numeric(10,2) CHECK (commission BETWEEN 0 AND final_fare),
  tariff             jsonb         NOT NULL,
  distance_m         integer,
  duration_s         integer,
  driver_card        jsonb,
  try_no             integer       NOT NULL,
  wave               integer       NOT NULL,
  radius_m           integer       NOT NULL,
  search_started_at  timestamptz   NOT NULL,
  search_ends_at     timestamptz   NOT NULL,
  next_wave_at       timestamptz   NOT NULL,
  accepted_at        timestamptz,
  arrived_at         timestamptz,
  started_at         timestamptz,
  completed_at       timestamptz,
  payment_pending_at timestamptz,
  paid_at            timestamptz,
  refunded_at        timestamptz,
  canceled_at        timestamptz,
  ended_at           timestamptz,
  canceled_by        text          CHECK (canceled_by IN ('passenger', 'driver', 'system')),
  cancel_reason      text,
  cancel_comment     text,
  {TIMES},
  CONSTRAINT ck_rides_driver CHECK (driver_id IS NOT NULL OR status NOT IN
    ('ACCEPTED', 'DRIVER_ARRIVED', 'IN_PROGRESS', 'COMPLETED', 'PAYMENT_PENDING', 'PAID', 'REFUNDED')),
  CONSTRAINT ck_rides_fare CHECK (final_fare IS NOT NULL OR status NOT IN
    ('COMPLETED', 'PAYMENT_PENDING', 'PAID', 'REFUNDED'))
) WITH (fillfactor = 80)"""

OFFERS = f"""
CREATE TABLE ride_offers (
  id                uuid        PRIMARY KEY,
  ride_id           uuid        NOT NULL REFERENCES rides (id),
  driver_id         uuid        NOT NULL,
  try_no            integer     NOT NULL,
  wave              integer     NOT NULL,
  pickup_distance_m integer     NOT NULL,
  offered_at        timestamptz NOT NULL,
  expires_at        timestamptz NOT NULL,
  response          text        CHECK (response IN ('ACCEPTED', 'REJECTED', 'EXPIRED', 'WITHDRAWN')),
  responded_at      timestamptz CHECK ((responded_at IS NULL) = (response IS NULL)),
  excluded          boolean     NOT NULL DEFAULT false,
  {TIMES}
)"""

OFFER_HISTORY = """
CREATE TABLE offer_history (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  offer_id  uuid        NOT NULL,
  ride_id   uuid        NOT NULL,
  driver_id uuid        NOT NULL,
  try_no    integer     NOT NULL,
  wave      integer     NOT NULL,
  event     text        NOT NULL CHECK (event IN ('OFFERED', 'ACCEPTED', 'REJECTED', 'EXPIRED', 'WITHDRAWN')),
  at        timestamptz NOT NULL
)"""

ATTEMPTS = """
CREATE TABLE ride_accept_attempts (
  id              uuid        PRIMARY KEY,
  ride_id         uuid        NOT NULL REFERENCES rides (id),
  driver_id       uuid        NOT NULL,
  idempotency_key text        NOT NULL,
  status          text        NOT NULL CHECK (status IN ('SUCCESS', 'FAILED', 'PENDING')),
  failure_reason  text,
  attempt_at      timestamptz NOT NULL
)"""

DRIVER_STATES = f"""
CREATE TABLE driver_states (
  driver_id       uuid          PRIMARY KEY,
  online          boolean       NOT NULL DEFAULT false,
  status          text          NOT NULL DEFAULT 'offline'
                                CHECK (status IN ('available', 'on_trip', 'offline')),
  current_ride_id uuid          REFERENCES rides (id),
  current_lat     numeric(10,8),
  current_lon     numeric(11,8),
  located_at      timestamptz,
  online_since    timestamptz,
  {TIMES},
  CONSTRAINT ck_driver_states_on_trip CHECK ((status = 'on_trip') = (current_ride_id IS NOT NULL))
) WITH (fillfactor = 70)"""

PROFILES = f"""
CREATE TABLE profiles (
  user_id         uuid    PRIMARY KEY,
  version         integer NOT NULL,
  user_type       text    NOT NULL,
  status          text    NOT NULL,
  approval_status text,
  category        text,
  average_rating  numeric(3,2),
  profile         jsonb   NOT NULL,
  {TIMES}
)"""

QUOTES = f"""
CREATE TABLE quotes (
  id           uuid          PRIMARY KEY,
  passenger_id uuid          NOT NULL,
  category     text          NOT NULL CHECK (category IN {CATEGORIES}),
  pickup_lat   numeric(10,8) NOT NULL,
  pickup_lon   numeric(11,8) NOT NULL,
  dropoff_lat  numeric(10,8) NOT NULL,
  dropoff_lon  numeric(11,8) NOT NULL,
  fare         numeric(10,2) NOT NULL,
  distance_m   integer       NOT NULL,
  duration_s   integer       NOT NULL,
  tariff       jsonb         NOT NULL,
  expires_at   timestamptz   NOT NULL,
  {TIMES}
)"""

RATINGS = f"""
CREATE TABLE ride_ratings (
  id       uuid     PRIMARY KEY,
  ride_id  uuid     NOT NULL REFERENCES rides (id),
  rater_id uuid     NOT NULL,
  rated_id uuid     NOT NULL,
  rated_by text     NOT NULL CHECK (rated_by IN ('passenger', 'driver')),
  stars    smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  tags     text[]   NOT NULL,
  comment  text,
  {TIMES},
  CONSTRAINT uq_ride_ratings_side UNIQUE (ride_id, rated_by)
)"""

LOCATIONS = """
CREATE TABLE location_updates (
  driver_id   uuid          NOT NULL,
  recorded_at timestamptz   NOT NULL,
  ride_id     uuid,
  lat         numeric(10,8) NOT NULL,
  lon         numeric(11,8) NOT NULL,
  accuracy_m  double precision,
  heading_deg double precision,
  speed_mps   double precision,
  created_at  timestamptz   NOT NULL DEFAULT now(),
  PRIMARY KEY (driver_id, recorded_at)
) PARTITION BY RANGE (recorded_at)"""

INDEXES = (
    "CREATE INDEX idx_rides_status_created ON rides (status, created_at)",
    "CREATE INDEX idx_rides_driver ON rides (driver_id) WHERE driver_id IS NOT NULL",
    "CREATE INDEX idx_rides_pickup_location ON rides (pickup_lat, pickup_lon)",
    f"CREATE UNIQUE INDEX uq_rides_driver_active ON rides (driver_id) WHERE status IN {DRIVEN}",
    f"CREATE UNIQUE INDEX uq_rides_passenger_open ON rides (passenger_id) WHERE status IN {OPEN}",
    "CREATE INDEX idx_rides_passenger_created ON rides (passenger_id, created_at DESC, id DESC)",
    """
CREATE INDEX idx_rides_driver_created ON rides (driver_id, created_at DESC, id DESC)
WHERE driver_id IS NOT NULL""",
    "CREATE INDEX idx_rides_next_wave ON rides (next_wave_at) WHERE status IN ('SEARCHING', 'OFFERED')",
    "CREATE INDEX idx_rides_search_end ON rides (search_ends_at) WHERE status IN ('SEARCHING', 'OFFERED')",
    "CREATE UNIQUE INDEX idx_offers_ride_driver ON ride_offers (ride_id, driver_id)",
    "CREATE INDEX idx_offers_expires ON ride_offers (expires_at) WHERE response IS NULL",
    "CREATE INDEX idx_offers_driver_open ON ride_offers (driver_id) WHERE response IS NULL",
    "CREATE INDEX idx_offer_history_ride ON offer_history (ride_id)",
    "CREATE UNIQUE INDEX idx_accept_idempotency ON ride_accept_attempts (idempotency_key)",
    "CREATE INDEX idx_accept_ride ON ride_accept_attempts (ride_id)",
    """
CREATE INDEX idx_driver_states_free ON driver_states (current_lat, current_lon)
WHERE online AND current_ride_id IS NULL""",
    """
CREATE INDEX idx_driver_states_current_ride ON driver_states (current_ride_id)
WHERE current_ride_id IS NOT NULL""",
    "CREATE INDEX idx_quotes_expires ON quotes (expires_at)",
    """
CREATE INDEX idx_location_updates_ride ON location_updates (ride_id, recorded_at)
WHERE ride_id IS NOT NULL""",
)

# The service's role owns no table, so it makes and drops the days through functions of the owner.
MAKE_PARTITIONS = """
CREATE FUNCTION location_make_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  day date := first_day;
  name text;
  made integer := 0;
BEGIN
  IF last_day - first_day > 400 THEN
    RAISE EXCEPTION 'more than 400 days of location partitions asked for';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('location partitions'));
  WHILE day <= last_day LOOP
    name := 'location_updates_' || to_char(day, 'YYYYMMDD');
    IF to_regclass('public.' || name) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.location_updates'
                     ' FOR VALUES FROM (%L) TO (%L)',
                     name, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
      made := made + 1;
    END IF;
    day := day + 1;
  END LOOP;
  RETURN made;
END $$"""

DROP_PARTITIONS = """
CREATE FUNCTION location_drop_partitions(before_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('location partitions'));
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.location_updates'::regclass AND c.relname ~ '^location_updates_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') < before_day
  LOOP
    EXECUTE format('DROP TABLE public.%I', child);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$"""

TABLES = (
    RIDES,
    OFFERS,
    OFFER_HISTORY,
    ATTEMPTS,
    DRIVER_STATES,
    PROFILES,
    QUOTES,
    RATINGS,
    LOCATIONS,
    *INDEXES,
    MAKE_PARTITIONS,
    DROP_PARTITIONS,
)


def upgrade() -> None:
    create_messaging_tables(op)
    create_idempotency_table(op)
    for statement in TABLES:
        op.execute(statement)
    op.execute("REVOKE EXECUTE ON FUNCTION location_make_partitions, location_drop_partitions FROM PUBLIC")
    op.execute(f"REVOKE UPDATE, DELETE ON offer_history, ride_accept_attempts FROM {app_role()}")
    op.execute(
        "SELECT location_make_partitions((now() AT TIME ZONE 'UTC')::date - 2,"
        " (now() AT TIME ZONE 'UTC')::date + 7)"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION location_make_partitions(date, date)")
    op.execute("DROP FUNCTION location_drop_partitions(date)")
    for table in (
        "location_updates",
        "ride_ratings",
        "quotes",
        "profiles",
        "driver_states",
        "ride_accept_attempts",
        "offer_history",
        "ride_offers",
        "rides",
    ):
        op.execute(f"DROP TABLE {table}")
    drop_idempotency_table(op)
    drop_messaging_tables(op)
