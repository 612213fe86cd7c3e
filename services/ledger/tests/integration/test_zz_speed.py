import time
from collections.abc import Callable
from ledger_books import *
from ledger.usecases.settle_payment import settle_payment
async def test_speed(make_database, clock):
    urls = make_database("ledger")
    drivers=[new_id() for _ in range(200)]
    async with open_books(urls, clock) as books:
        for n in range(4):
            facts=[confirmed(driver_id=drivers[i%200], fee="0.10") for i in range(500)]
            t=time.monotonic()
            async with books.transaction() as tx:
                for f in facts: await settle_payment(tx, paid=f, now=clock.now())
                a=time.monotonic()
                await tx.book.post()
                b=time.monotonic()
            c=time.monotonic()
            print(n, "post", round(b-a,3), "commit", round(c-b,3))
