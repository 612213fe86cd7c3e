"""Views for people, checks and the demo: trial balance, journal totals, reversals, differences."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VIEWS = (
    """
CREATE VIEW trial_balance AS
SELECT a.code, a.name, a.account_type,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'DEBIT'), 0)  AS debits,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'CREDIT'), 0) AS credits,
       coalesce(sum(CASE e.entry_type WHEN 'DEBIT' THEN e.amount ELSE -e.amount END), 0) AS difference,
       coalesce(sum(CASE WHEN (e.entry_type = 'DEBIT') = (a.account_type IN ('ASSET', 'EXPENSE'))
                         THEN e.amount ELSE -e.amount END), 0) AS balance
FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id
WHERE a.classification = 'DETAIL'
GROUP BY a.code, a.name, a.account_type""",
    """
CREATE VIEW journal_totals AS
SELECT j.id AS journal_id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.driver_id,
       j.transaction_date, j.line_count, count(e.id)::integer AS lines,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'DEBIT'), 0)  AS debits,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'CREDIT'), 0) AS credits
FROM journals j
LEFT JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_id = j.transaction_id
GROUP BY j.id""",
    """
CREATE VIEW reversed_transactions AS
SELECT o.transaction_id, o.journal_id, r.transaction_id AS reversal_transaction_id,
       r.journal_id AS reversal_journal_id, sum(r.amount) AS reversed_amount,
       j.reverses IS NOT NULL AS in_full, min(r.created_at) AS reversed_at
FROM ledger_entries r
JOIN ledger_entries o ON o.id = r.reversal_entry_id
JOIN journals j ON j.id = r.journal_id
WHERE r.reversed AND r.entry_type = 'DEBIT'
GROUP BY o.transaction_id, o.journal_id, r.transaction_id, r.journal_id, j.reverses""",
    """
CREATE VIEW balance_differences AS
WITH posted AS (
  SELECT e.account_id, CASE a.owner_kind WHEN 'driver' THEN e.driver_id ELSE e.passenger_id END AS owner_id,
         sum(CASE WHEN (e.entry_type = 'DEBIT') = (a.account_type IN ('ASSET', 'EXPENSE'))
                  THEN e.amount ELSE -e.amount END) AS balance
  FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
  WHERE a.owner_kind IS NOT NULL
  GROUP BY 1, 2),
kept AS (SELECT account_id, owner_id, balance FROM account_balances
         WHERE owner_id <> '00000000-0000-0000-0000-000000000000')
SELECT a.code, owner_id, coalesce(posted.balance, 0) AS posted, coalesce(kept.balance, 0) AS kept
FROM posted FULL JOIN kept USING (account_id, owner_id) JOIN ledger_accounts a ON a.id = account_id
WHERE coalesce(posted.balance, 0) <> coalesce(kept.balance, 0)""",
)

VIEW_NAMES = ("balance_differences", "reversed_transactions", "journal_totals", "trial_balance")
COMMENTS = (
    "COMMENT ON VIEW trial_balance IS 'One row a detail account; `difference` sums to 0'",
    "COMMENT ON VIEW journal_totals IS 'One row a journal: debits equal credits, lines equal line_count'",
    "COMMENT ON VIEW reversed_transactions IS 'What was reversed, by which, how much, whether in full'",
    "COMMENT ON VIEW balance_differences IS 'Sub-balances that differ from their entries: always empty'",
)


def upgrade() -> None:
    for statement in (*VIEWS, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    for view in VIEW_NAMES:
        op.execute(f"DROP VIEW {view}")
