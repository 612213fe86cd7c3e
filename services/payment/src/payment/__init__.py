"""Pix charges through Efí: intents, charges, webhooks, confirmation, refunds."""
