"""The progress page: its layout, its ring of cancels, and the seals that keep it whole."""

import os
from collections.abc import Iterator
from mmap import mmap

import pytest

from understudy.transports.guests import protocol as p
from understudy.transports.guests.interrupts import Doorbell
from understudy.transports.guests.main import ProcessGuest, map_page
from understudy.transports.guests.turns import Turns
from understudy.transports.guests.values import Values
from understudy.transports.guests.wire import Wire
from understudy.transports.page import Page, make_page
from understudy.transports.system.means import has

needs_page = pytest.mark.skipif(not has("page"), reason="this system, or this run, has no page")
FULL = 2**64 - 1


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.close()


@pytest.fixture
def theirs(page: Page) -> memoryview:
    """The guest's mapping of the same page."""
    return map_page(os.dup(page.descriptor))


def test_the_words_of_the_page_do_not_overlap() -> None:
    single = [p.BEGUN, p.ENDED, p.PROGRESS, p.CANCELS_SEEN, p.INTERRUPT, p.CANCELS]

    assert sorted(set(single)) == sorted(single)
    assert max(single) < p.GROUPS < p.GROUPS + p.MOST_GROUPS <= p.CANCEL_RING
    assert p.CANCEL_RING + p.RING == p.TAKEN
    assert p.TAKEN + p.SLOTS == p.PAGE_BYTES // 8
    assert p.RING > p.WINDOW


@needs_page
def test_what_the_guest_stores_the_host_reads(page: Page, theirs: memoryview) -> None:
    theirs[p.BEGUN], theirs[p.ENDED], theirs[p.PROGRESS] = 11, 10, FULL

    assert (page.begun, page.ended, page.progress) == (11, 10, FULL)


@needs_page
def test_what_the_host_names_for_an_interrupt_the_guest_reads(page: Page, theirs: memoryview) -> None:
    page.interrupt(42)

    assert theirs[p.INTERRUPT] == 42


@needs_page
def test_a_cancel_tells_whether_the_call_runs_already(page: Page, theirs: memoryview) -> None:
    theirs[p.BEGUN], theirs[p.ENDED] = 5, 4
    runs, waits = page.cancel(5), page.cancel(6)
    theirs[p.ENDED] = 5

    assert (runs, waits, page.cancel(5)) == (True, False, False)


@needs_page
def test_the_ring_holds_every_call_that_can_be_in_the_guests_hands(page: Page, theirs: memoryview) -> None:
    wire = Wire(-1, Values().decode)
    turns = Turns(ProcessGuest(wire, Values(), theirs, Doorbell(theirs)), {})
    for turn in range(3):
        ids = set(range(1000 * turn, 1000 * turn + p.WINDOW))
        for id in ids:
            page.cancel(id)
        turns.cancelled.clear()
        turns.read_cancels(theirs)

        assert set(turns.cancelled) == ids
        assert theirs[p.CANCELS_SEEN] == theirs[p.CANCELS] == (turn + 1) * p.WINDOW


@needs_page
@pytest.mark.parametrize("lie", [FULL, FULL - 1, 2**63, 12345])
def test_a_guest_that_writes_over_the_hosts_words_harms_only_itself(
    page: Page, theirs: memoryview, lie: int
) -> None:
    for word in range(p.PAGE_BYTES // 8):
        theirs[word] = lie
    for id in range(3):
        page.cancel(id)
        page.interrupt(id)

    assert [theirs[p.CANCEL_RING + n] for n in range(3)] == [0, 1, 2]
    assert theirs[p.CANCELS] == 3


@needs_page
@pytest.mark.parametrize("size", [0, 1, p.PAGE_BYTES - 1, p.PAGE_BYTES + 1, 10 * p.PAGE_BYTES])
def test_a_guest_cannot_resize_the_page_under_its_host(page: Page, size: int) -> None:
    theirs = os.dup(page.descriptor)
    try:
        with pytest.raises(PermissionError):
            os.ftruncate(theirs, size)
        assert os.fstat(theirs).st_size == p.PAGE_BYTES
    finally:
        os.close(theirs)


@needs_page
def test_the_seals_cannot_be_broken(page: Page) -> None:
    import fcntl

    with pytest.raises(PermissionError):
        fcntl.fcntl(page.descriptor, 1033, 0x0008)


@needs_page
def test_the_mapping_outlives_the_descriptor(page: Page, theirs: memoryview) -> None:
    page.close_descriptor()
    page.close_descriptor()
    theirs[p.BEGUN] = 3

    assert page.begun == 3


@needs_page
def test_the_descriptor_is_not_inherited_by_chance(page: Page) -> None:
    assert not os.get_inheritable(page.descriptor)


@needs_page
def test_a_guest_that_has_mapped_its_page_holds_no_descriptor_of_it(page: Page) -> None:
    copy = os.dup(page.descriptor)
    map_page(copy)
    with pytest.raises(OSError):
        os.fstat(copy)


@needs_page
def test_a_closed_page_keeps_what_it_said_last_and_no_descriptor(theirs: memoryview, page: Page) -> None:
    before = len(os.listdir("/proc/self/fd"))
    theirs[p.PROGRESS], theirs[p.BEGUN] = 9, 8
    page.close()
    page.close()
    page.cancel(1)

    assert (page.progress, page.begun) == (9, 8)
    assert len(os.listdir("/proc/self/fd")) == before - 2


def test_a_page_is_made_where_the_system_has_what_it_takes() -> None:
    page = make_page()

    assert (page is not None) == has("page")
    if page is not None:
        assert isinstance(page.memory, mmap)
        page.close()
