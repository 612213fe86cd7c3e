"""What every service may lean on: refusals, money, ids, time and Brazilian documents. Pure, no I/O."""
