"""Create the audit log: append-only, for the service and for its owner alike."""

from alembic import op

from storage.migrations import app_role, create_messaging_tables, drop_messaging_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_messaging_tables(op)
    op.execute(
        """CREATE TABLE audit_logs (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            record_id uuid NOT NULL UNIQUE,
            action text NOT NULL,
            entity_type text NOT NULL,
            entity_id text NOT NULL,
            user_id uuid,
            user_type text NOT NULL,
            changes jsonb NOT NULL,
            reason text,
            ip_address inet,
            user_agent text,
            request_id text,
            occurred_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now())"""
    )
    op.execute("CREATE INDEX idx_audit_entity ON audit_logs (entity_type, entity_id, id DESC)")
    op.execute("CREATE INDEX idx_audit_user ON audit_logs (user_id, id DESC) WHERE user_id IS NOT NULL")
    op.execute("CREATE INDEX idx_audit_action ON audit_logs (action, id DESC)")
    op.execute("CREATE INDEX idx_audit_occurred ON audit_logs (occurred_at)")
    op.execute(
        """CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
            END $$"""
    )
    op.execute(
        "CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs"
        " FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON audit_logs FROM {app_role()}")


def downgrade() -> None:
    op.execute("DROP TABLE audit_logs")
    op.execute("DROP FUNCTION refuse_audit_change()")
    drop_messaging_tables(op)
