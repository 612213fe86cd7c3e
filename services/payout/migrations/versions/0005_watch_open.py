"""The oldest payout that has not ended is looked for every few seconds."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_payouts_open ON payouts (status) INCLUDE (asked_at, created_at) "
        "WHERE status IN ('PENDING', 'PROCESSING')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_payouts_open")
