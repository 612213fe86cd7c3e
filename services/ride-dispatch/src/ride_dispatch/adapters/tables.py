"""The tables, as the repositories see them; the migrations make them (blueprint, "Modelo de Dados")."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage import timestamps

metadata = MetaData()

LAT = Numeric(10, 8)
LON = Numeric(11, 8)
MONEY = Numeric(10, 2)
MOMENT = DateTime(timezone=True)

rides = Table(
    "rides",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("passenger_id", Uuid, nullable=False),
    Column("driver_id", Uuid),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("category", Text, nullable=False),
    Column("pickup_lat", LAT, nullable=False),
    Column("pickup_lon", LON, nullable=False),
    Column("dropoff_lat", LAT, nullable=False),
    Column("dropoff_lon", LON, nullable=False),
    Column("quote_id", Uuid),
    Column("estimated_fare", MONEY, nullable=False),
    Column("final_fare", MONEY),
    Column("commission_bps", Integer, nullable=False),
    Column("commission", MONEY),
    Column("tariff", JSONB, nullable=False),
    Column("distance_m", Integer),
    Column("duration_s", Integer),
    Column("driver_card", JSONB(none_as_null=True)),
    Column("try_no", Integer, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("radius_m", Integer, nullable=False),
    Column("search_started_at", MOMENT, nullable=False),
    Column("search_ends_at", MOMENT, nullable=False),
    Column("next_wave_at", MOMENT, nullable=False),
    Column("accepted_at", MOMENT),
    Column("arrived_at", MOMENT),
    Column("started_at", MOMENT),
    Column("completed_at", MOMENT),
    Column("payment_pending_at", MOMENT),
    Column("paid_at", MOMENT),
    Column("refunded_at", MOMENT),
    Column("canceled_at", MOMENT),
    Column("ended_at", MOMENT),
    Column("canceled_by", Text),
    Column("cancel_reason", Text),
    Column("cancel_comment", Text),
    *timestamps(),
)

ride_offers = Table(
    "ride_offers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ride_id", Uuid, nullable=False),
    Column("driver_id", Uuid, nullable=False),
    Column("try_no", Integer, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("pickup_distance_m", Integer, nullable=False),
    Column("offered_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("response", Text),
    Column("responded_at", MOMENT),
    Column("excluded", Boolean, nullable=False),
    *timestamps(),
)

offer_history = Table(
    "offer_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("offer_id", Uuid, nullable=False),
    Column("ride_id", Uuid, nullable=False),
    Column("driver_id", Uuid, nullable=False),
    Column("try_no", Integer, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", MOMENT, nullable=False),
)

ride_accept_attempts = Table(
    "ride_accept_attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ride_id", Uuid, nullable=False),
    Column("driver_id", Uuid, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("failure_reason", Text),
    Column("attempt_at", MOMENT, nullable=False),
)

driver_states = Table(
    "driver_states",
    metadata,
    Column("driver_id", Uuid, primary_key=True),
    Column("online", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("current_ride_id", Uuid),
    Column("current_lat", LAT),
    Column("current_lon", LON),
    Column("located_at", MOMENT),
    Column("online_since", MOMENT),
    *timestamps(),
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("user_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("approval_status", Text),
    Column("category", Text),
    Column("average_rating", Numeric(3, 2)),
    Column("profile", JSONB, nullable=False),
    *timestamps(),
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("passenger_id", Uuid, nullable=False),
    Column("category", Text, nullable=False),
    Column("pickup_lat", LAT, nullable=False),
    Column("pickup_lon", LON, nullable=False),
    Column("dropoff_lat", LAT, nullable=False),
    Column("dropoff_lon", LON, nullable=False),
    Column("fare", MONEY, nullable=False),
    Column("distance_m", Integer, nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("tariff", JSONB, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    *timestamps(),
)

ride_ratings = Table(
    "ride_ratings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ride_id", Uuid, nullable=False),
    Column("rater_id", Uuid, nullable=False),
    Column("rated_id", Uuid, nullable=False),
    Column("rated_by", Text, nullable=False),
    Column("stars", SmallInteger, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("comment", Text),
    *timestamps(),
)

location_updates = Table(
    "location_updates",
    metadata,
    Column("driver_id", Uuid, primary_key=True),
    Column("recorded_at", MOMENT, primary_key=True),
    Column("ride_id", Uuid),
    Column("lat", LAT, nullable=False),
    Column("lon", LON, nullable=False),
    Column("accuracy_m", Double),
    Column("heading_deg", Double),
    Column("speed_mps", Double),
    Column("created_at", MOMENT, nullable=False),
)
