"""The floor rises only when nothing can appear below it."""

from messaging.floor import Floor


def test_it_rises_once_every_older_transaction_has_ended() -> None:
    floor = Floor()
    floor.handled(10, by_xid=100)
    floor.rise(100, seen_to=None)
    assert floor.id == 0, "the transaction 100 itself may be among the running ones"
    floor.rise(101, seen_to=None)
    assert floor.id == 10


def test_it_never_falls() -> None:
    floor = Floor()
    floor.handled(10, by_xid=100)
    floor.handled(4, by_xid=101)
    floor.rise(200, seen_to=None)
    assert floor.id == 10


def test_a_full_fetch_holds_it_back() -> None:
    """A long transaction's rows appear at last, more than one fetch takes: the rest must stay in sight."""
    floor = Floor()
    floor.handled(6000, by_xid=100)
    floor.rise(200, seen_to=1000)
    assert floor.id == 0
    floor.rise(200, seen_to=None)
    assert floor.id == 6000


def test_a_reset_reads_all_again() -> None:
    floor = Floor()
    floor.handled(10, by_xid=100)
    floor.rise(101, seen_to=None)
    floor.handled(20, by_xid=102)
    floor.reset()
    floor.rise(200, seen_to=None)
    assert floor.id == 0
