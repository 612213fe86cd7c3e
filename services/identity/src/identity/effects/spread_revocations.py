from identity.domain.session import SessionPolicy
from identity.ports import OpenTransaction, RevocationCopy
from identity.usecases.list_revocations import list_revocations


async def spread_revocations(
    transaction: OpenTransaction, *, copy: RevocationCopy, policy: SessionPolicy
) -> int:
    """Write every revocation that still matters to the fast copy again, so that a flush heals; how many."""
    async with transaction() as tx:
        revocations = await list_revocations(tx, since=None, policy=policy, now=tx.now())
    if revocations:
        await copy.write(revocations)
    return len(revocations)
