"""Whether a passenger owes for a ride is asked at each request: an index of what is driven and unpaid."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX idx_rides_passenger_unpaid ON rides (passenger_id)"
        " WHERE status IN ('COMPLETED', 'PAYMENT_PENDING')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX idx_rides_passenger_unpaid")
