"""Paying drivers out: requested, held by the ledger, sent by Pix, followed until the bank has decided."""
