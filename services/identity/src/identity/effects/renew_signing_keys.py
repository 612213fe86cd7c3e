from identity.domain.signing_key import KeyPolicy, outlived, rotation_due
from identity.ports import KeyMaker, OpenTransaction
from identity.usecases.rotate_signing_key import rotate_signing_key


async def renew_signing_keys(
    transaction: OpenTransaction, *, maker: KeyMaker, policy: KeyPolicy, forced: bool = False
) -> bool:
    """Make and publish a new signing key if one is due (or forced), and drop the outlived ones."""
    async with transaction() as tx:
        now = tx.now()
        keys = await tx.signing_keys.all()
    idle = not rotation_due(keys, policy=policy, now=now) and not outlived(keys, policy=policy, now=now)
    if idle and not forced:
        return False
    spare = await maker.make(now)
    async with transaction() as tx:
        return await rotate_signing_key(tx, spare=spare, policy=policy, forced=forced, now=tx.now())
