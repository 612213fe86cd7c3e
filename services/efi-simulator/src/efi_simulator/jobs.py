"""What runs beside the requests: things settle when they are due, and notices are carried to the webhook."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import Mode, WebhookMode
from efi_simulator.domain.nouns import Notice
from efi_simulator.domain.settling import settle
from efi_simulator.effects.deliver_notice import deliver_notice
from efi_simulator.ports import Keep, Post, Watch
from kernel.clock import Clock
from telemetry import get_logger

log = get_logger(__name__)

DUPLICATES: Final = 3
DELAY_S: Final = 1.0


class Courier:
    """Carries notices, each in a task of its own: order is not promised, as at Efí.

    `watch` sees every attempt; `told` hears of a notice that has arrived or never will.
    """

    def __init__(
        self,
        post: Post,
        *,
        url_of: Callable[[str], str | None],
        mode: Mode[WebhookMode],
        minute_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        watch: Watch = lambda _: None,
        told: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        self._post = post
        self._url_of = url_of
        self._mode = mode
        self._minute_s = minute_s
        self._sleep = sleep
        self._watch = watch
        self._told = told
        self._held: list[Notice] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def carry(self, notice: Notice) -> None:
        """Set off with `notice` as the mode of this moment says."""
        delay_ms = self._mode.delay_ms
        delay_s = DELAY_S if delay_ms is None else delay_ms / 1000
        match self._mode.take():
            case WebhookMode.DROP:
                log.info("webhook_dropped", kind=notice.kind)
                self._told(notice)
            case WebhookMode.DUPLICATE:
                self._start(self._deliver([notice] * DUPLICATES))
            case WebhookMode.DELAY:
                self._start(self._deliver([notice], after_s=delay_s))
            case WebhookMode.REORDER:
                self._hold(notice, at_most_s=delay_s)
            case _:
                self._start(self._deliver([notice]))

    def release_if_over(self) -> None:
        """What was held to be reordered goes out, last first, once the mode is another."""
        if self._held and self._mode.current is not WebhookMode.REORDER:
            self._release()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hold(self, notice: Notice, *, at_most_s: float) -> None:
        self._held.append(notice)
        if len(self._held) == 1:
            self._start(self._release_after(at_most_s))
        self.release_if_over()

    async def _release_after(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        if held:
            self._start(self._deliver(held[::-1]))

    async def _deliver(self, notices: Sequence[Notice], *, after_s: float = 0) -> None:
        if after_s:
            await self._sleep(after_s)
        for notice in notices:
            delivered = await deliver_notice(
                self._post,
                notice=notice,
                url_of=self._url_of,
                minute_s=self._minute_s,
                sleep=self._sleep,
                watch=self._watch,
            )
            self._told(notice)
            if not delivered:
                log.warning("webhook_given_up", kind=notice.kind)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Clockwork:
    """Settles what is due and hands the bank's notices to the courier. A Background of `web`."""

    def __init__(self, bank: Bank, *, courier: Courier, clock: Clock, keep: Keep) -> None:
        self._bank = bank
        self._courier = courier
        self._clock = clock
        self._keep = keep
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something changed: look at the books now."""
        self._woken.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._courier.stop()

    def unhealthy(self) -> str | None:
        return "the clockwork stopped" if self._task is not None and self._task.done() else None

    async def turn(self) -> None:
        """One look at the books. Nobody is told of what is not on disk."""
        settle(self._bank, now=self._clock.now())
        await self._keep()
        while self._bank.notices:
            self._courier.carry(self._bank.notices.popleft())
        self._courier.release_if_over()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            await self.turn()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), timeout=self._wait_s())

    def _wait_s(self) -> float | None:
        due_at = self._bank.next_due_at()
        if due_at is None:
            return None
        return max(0.0, (due_at - self._clock.now()).total_seconds())
