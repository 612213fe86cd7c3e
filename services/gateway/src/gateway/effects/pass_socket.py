import asyncio
from contextlib import suppress

from gateway.domain.closes import Close, told_to_client, told_to_service
from gateway.ports import Socket


async def pass_socket(client: Socket, *, service: Socket) -> Close:
    """Pass messages both ways until one side ends, and tell the other; how it ended.

    A message is taken from one side only when the other has room: a slow reader slows its writer down.
    """
    upwards = asyncio.create_task(_pump(client, service))
    downwards = asyncio.create_task(_pump(service, client))
    try:
        await asyncio.wait((upwards, downwards), return_when=asyncio.FIRST_COMPLETED)
        if downwards.done():
            close = told_to_client(downwards.result())
            await client.close(close)
            await service.close(close)
        else:
            close = told_to_service(upwards.result())
            await service.close(close)
    finally:
        for task in (upwards, downwards):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return close


async def _pump(source: Socket, target: Socket) -> Close:
    while True:
        message = await source.receive()
        if isinstance(message, Close):
            return message
        try:
            await target.send(message)
        except ConnectionError:
            # The other pump hears how the target ended; this one must not end the source before it does.
            await asyncio.Event().wait()
