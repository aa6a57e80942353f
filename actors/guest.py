"""The corridor between a mailbox and a guest, wherever that is: what goes over, comes back, and must end early."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import trio

from ..transports.codec import Pickled
from ..transports.guests import protocol as p
from ..transports.guests.protocol import ITEM, REPLIES, RESULT
from ..transports.session import CHANNELS, LEAVING, READY, ProtocolError, Session
from .belongings import Belongings, on_channel
from .chunks import Chunk, chunk_with
from .climber import Climber
from .errors import UNKNOWN
from .glance import Glance
from .guest_handle import finder
from .inheritance import Inheritance, on_leaving, on_mishap, on_state
from .ladder import KILL, TERMINATE
from .lanes import Lanes
from .lifecycle import ENDED, FATES, QUEUED, RUNNING, SENT
from .questions import Questions
from .reasons import INTERRUPTED, SHUTDOWN, SHUTDOWN_EXIT, ExitReason
from .recall import leave_at_once, let_back, recalled
from .stream import Feed
from .verdicts import answer, flaw_of, on_items

if TYPE_CHECKING:
    from ..transports.codec import HostCodec
    from ..transports.links.link import HostLink
    from .call import Call
    from .executor import Ladder
    from .life import Life
    from .place import Place


class GuestIncarnation:
    """What the guest has in its hands is in `sent`, in the order it was taken from the mailbox."""

    __slots__ = (
        "awake", "belongings", "climber", "codec", "dead", "glance", "guest", "inheritance", "injected", "lanes", "life", "parting",
        "questions", "send_code", "sent", "sent_count", "session", "since", "started", "stopping", "trusted", "why",
    )  # fmt: skip

    guest: Any
    codec: Any
    trusted: bool

    def __init__(self, life: Life, guest: Place, codec: HostCodec, ladder: Ladder, trusted: bool) -> None:
        self.life = life
        self.guest = guest
        self.codec = codec
        self.trusted = trusted
        self.session = Session()
        self.awake = False
        self.glance = Glance()
        self.sent: dict[int, Call] = {}
        self.sent_count = 0
        self.lanes: Lanes | None = None  # for a guest that runs several calls at once
        self.questions = Questions(self)
        self.belongings = Belongings(self)
        self.send_code = self.belongings.send
        self.inheritance = Inheritance(self)
        self.climber = Climber(life, guest, ladder, self.inheritance.overdue, self.runs_others, self.ring)
        self.parting: Call | None = None
        self.why: ExitReason | None = None
        self.injected = self.stopping = False
        self.started = trio.Event()
        self.dead = trio.Event()
        self.since: float | None = None  # when it became ready

    @property
    def pid(self) -> int:
        return self.guest.pid  # type: ignore[no-any-return]

    @property
    def held(self) -> bool:
        """Does a person debug it?  Then none of its deadlines falls due."""
        return self.climber.deadlines.held

    @property
    def has_started(self) -> bool:
        """Has the actor become ready, and is there no order to end it?"""
        return self.session.state is LEAVING or (self.session.state is READY and self.why is None)

    @property
    def uprooted(self) -> bool:
        """Did it die with the keeper, for no fault of its own?"""
        return False

    @property
    def where(self) -> str:
        """For a person: whose code it was that raised."""
        return self.life.path

    # -- calls ----------------------------------------------------------------------------------

    def pump(self) -> None:
        """Hand over what waits at the end of this tick, in one frame."""
        if not self.awake:
            self.awake = True
            self.life.house.stage.ticks.soon(self.hand_over)

    def exchange(self, call: Call) -> bool:
        """Send a call that is alone at once, and look for its reply; True if it came."""
        self.hand_over()
        link: HostLink | None = self.guest.link
        return link is not None and self.glance.look(call, link)

    def hand_over(self) -> None:
        """Send what waits, as far as the guest's window goes; runs at the end of a tick."""
        self.awake = False
        mailbox, link, sent = self.life.mailbox, self.guest.link, self.sent
        queue = mailbox.queue
        # Nothing is sent before the actor itself knows that it is ready: a first call may end it.
        ready = self.session.state is READY and mailbox.receiver is self
        if self.lanes is not None:
            if link is not None and ready and self.why is None:
                self.send_calls(self.lanes.take(queue, sent))
        elif queue and link is not None and ready and self.why is None:
            room = self.session.window - len(sent)
            batch: list[Any] = []
            size = 0
            # A call that may be tried again after an exception goes alone: it keeps its place before what follows.
            alone = bool(sent) and bool(next(reversed(sent.values())).method.retry_on)
            while queue and room > 0 and size < LARGE and not alone and link.rest is None:
                call = queue[0]
                if sent and call.method.retry_on and call.state is not ENDED:
                    break
                queue.popleft()
                if call.state is not ENDED:
                    alone = bool(call.method.retry_on)
                    room -= 1
                    sent[call.id] = call
                    call.state = SENT
                    call.position = self.sent_count + 1
                    self.sent_count += 1 if call.ref.__class__ is not Chunk else len(call.ref.inputs)
                    if call.code:
                        self.send_code(call.code, call)
                    message = (
                        call.payload
                        if call.attempt == 1
                        else self.codec.marked(call.payload, "attempt", call.attempt)
                    )
                    size += len(message)
                    batch.append(message)
            link.send_now(batch)
            if queue and size >= LARGE and link.rest is None:
                self.pump()
        if self.stopping and not sent and not queue:
            self.finish_stop()

    def send_calls(self, calls: list[Call]) -> None:
        """Send calls that their lanes let go."""
        batch: list[Any] = []
        for call in calls:
            call.state = SENT
            if call.code:
                self.send_code(call.code, call)
            batch.append(
                call.payload
                if call.attempt == 1
                else self.codec.marked(call.payload, "attempt", call.attempt)
            )
        if batch:
            self.guest.link.send_now(batch)

    def say(self, *message: Any) -> None:
        if self.guest.link is not None:
            self.guest.link.send(self.codec.message(*message))

    def hear(self, messages: list[Any]) -> None:
        """Take what the guest said; whatever breaks a rule ends the guest."""
        receive, sent, climber, lanes = self.session.receive, self.sent, self.climber, self.lanes
        try:
            for message in messages:
                kind = receive(message)
                if kind not in REPLIES:
                    TOLD[kind](self, message)
                    continue
                call = sent.get(message[1])
                if call is None or call.state is QUEUED:
                    raise ProtocolError(f"a reply to call {message[1]}, which it does not have")
                if climber.climbs:
                    self.climbed(call, climber.answered(call.id), kind)
                if kind == RESULT and message[2].__class__ is not Pickled:
                    call.succeed(message[2])
                else:
                    answer(kind, call, message, self)
                if self.questions.open:
                    self.questions.call_ended(call.id)
                del sent[call.id]  # only now: had any of this failed, its end would be told by the guest's
                if lanes is not None:
                    lanes.gone(call)
        except ProtocolError as error:
            self.breach(f"the guest broke the protocol: {error}")
        except Exception as error:
            # Whatever one guest says, and whatever unpickling it does here, costs that guest and no other.
            log.exception("what %s said could not be taken", self.life.path)
            self.breach(f"what the guest said could not be taken: {error!r}")
        self.glance.heard(len(messages) == 1 and not sent)
        if self.stopping or self.life.mailbox.queue or (lanes is not None and sent):
            self.pump()

    # -- what a guest says beside replies -------------------------------------------------------

    def on_hello(self, message: list[Any]) -> None:
        self.guest.greeted(message[3])

    def on_ready(self, message: list[Any]) -> None:
        self.since = self.life.house.stage.now()
        self.started.set()
        self.belongings.started()

    def weight(self, values: list[Any]) -> int:
        """What the items weigh that have just come: as much as the frame that they came in."""
        return self.guest.link.size  # type: ignore[no-any-return]

    def value(self, value: Any, read: Callable[[Any], Any] | None = None) -> Any:
        """What a guest has sent, as its receiver gets it; raises what unpickling raises."""
        token = finder.set(self.life.house.find)
        try:
            return (read or self.codec.value)(value)
        finally:
            finder.reset(token)

    def on_flaw(self, message: list[Any]) -> None:
        """One call of a chunk has failed."""
        call = self.sent.get(message[1])
        if call is None or not isinstance(call.ref, Chunk) or call.ref.done >= len(call.ref.inputs):
            raise ProtocolError(f"a flaw in call {message[1]}, which is no chunk that it has")
        flaw = flaw_of(call, message[2], self)
        flaw.call_id += call.ref.first + call.ref.done
        call.ref.flaw(flaw)

    def on_ask(self, message: list[Any]) -> None:
        """A method wants something of another actor."""
        parent = self.sent.get(message[2]) or chunk_with(message[2], self.sent)
        self.questions.hear(message[1], parent, message[3])

    def credit(self, call: Call, items: int) -> None:
        """Somebody took so many items of a stream: as many more may come."""
        if isinstance(call.ref, Feed):
            call.ref.taken(items)
        self.say(p.CREDIT, call.id, items)

    # -- calls that must end --------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        """The caller has gone: the call is skipped if it has not begun, else interrupted."""
        page = self.guest.page
        if self.reads(call):
            self.say(p.CANCEL, call.id)  # such a guest reads while the method runs
        if self.lanes is not None:
            begun = page is None or self.lanes.begun(call, page)
        else:
            begun = page.cancel(call.id) if page is not None else True
            # The oldest is answered at once by an honest guest; one that is stuck, or lies on its page, is not.
            begun = begun or next(iter(self.sent), 0) == call.id
        if begun and call.method.interruptible:
            self.climber.begin(call.id, why, delay=POLITE if isinstance(call.ref, Feed) else 0.0)

    def reads(self, call: Call) -> bool:
        """Does the guest read while it runs this call?"""
        waits = self.questions.waits(call.id) or self.belongings.lends
        return self.lanes is not None or isinstance(call.ref, Feed) or waits

    def recall(self, call: Call, stand_in: Call) -> bool:
        """Take back a call that has not begun, for somebody else to do."""
        return recalled(self, call, stand_in)

    def let_back(self, calls: list[Call]) -> None:
        """Calls that wait have come back within one chain: they begin beside the one that waits for them."""
        let_back(self, calls)

    def interrupt(self) -> list[trio.Event]:
        """Interrupt what runs; returns the events of its end, none if nothing runs."""
        for call in self.running():
            if call.method.interruptible:
                self.climber.begin(call.id, INTERRUPTED)
        return [climb.over for id, climb in self.climber.climbs.items() if id]  # 0 is its own end

    def running(self) -> list[Call]:
        page = self.guest.page
        if self.lanes is not None:
            given = [call for call in self.sent.values() if call.state is SENT]
            return given if page is None else [call for call in given if self.lanes.begun(call, page)]
        if page is None:
            return list(self.sent.values())[:1]
        begun = page.begun
        return [self.sent[begun]] if begun != page.ended and begun in self.sent else []

    def runs_others(self, call_id: int) -> bool:
        """Does it run other calls than this?"""
        return self.lanes is not None and any(
            call.id != call_id and not call.ended for call in self.running()
        )

    def ring(self, call_id: int) -> None:
        """A guest that reads while methods run is told, beside the doorbell."""
        call = self.sent.get(call_id)
        if call is not None and self.reads(call) and self.guest.link.rest is None:  # else it is told already
            self.say(p.CANCEL, call_id)

    def climbed(self, call: Call, rung: str | None, kind: int) -> None:
        """A call has ended for which the ladder was climbed, as far as `rung`."""
        if rung in (TERMINATE, KILL):
            self.guest.signal(signal.SIGKILL)  # it was told to go: what answers after that does not stay
        elif rung is None or self.life.spec.options.after_interrupt != "restart":
            return
        elif kind == p.INTERRUPTED or (kind == p.CLOSED and not call.ended):  # else its reader has just left
            self.kill(ExitReason(INTERRUPTED, "its state is not trusted after an interrupt", ordered=True))

    def condemn(self, reason: ExitReason) -> None:
        """The guest is to end; the first reason counts."""
        self.why = self.why or reason

    # -- the end --------------------------------------------------------------------------------

    def stop(self, seconds: float) -> None:
        """Finish what is in the mailbox, then leave; the ladder follows after `seconds`."""
        leaving = self.session.state is LEAVING  # and has its time for that already
        self.stopping = self.session.state is READY
        if seconds == 0 or not (self.stopping or leaving):
            return self.kill(SHUTDOWN_EXIT)
        if leaving:
            return None
        if not self.climber.climbs:  # one for a call goes on: it ends the call, or all
            self.climber.begin(0, SHUTDOWN, delay=seconds)
        self.pump()

    def leave(self, seconds: float) -> None:
        """Leave without what is in the mailbox: it waits for the next incarnation, and what runs is interrupted."""
        if self.session.state is READY:
            leave_at_once(self, seconds)
        else:
            self.stop(seconds)

    def finish_stop(self) -> None:
        if self.session.state is READY and self.why is None:
            self.why = SHUTDOWN_EXIT
            self.say(p.STOP, SHUTDOWN_EXIT.kind)

    def kill(self, reason: ExitReason) -> None:
        """Kill the guest."""
        self.condemn(reason)
        self.guest.signal(signal.SIGKILL)
        self.started.set()

    def breach(self, text: str) -> None:
        """The guest said what may not be said: it is killed."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back all that is held of it."""
        self.belongings.close(self.why)
        self.questions.close()
        self.climber.end()
        self.guest.close()

    def fate(self, call: Call) -> str:
        page = self.guest.page
        if call.state is QUEUED:
            return FATES[QUEUED, page is not None]
        if self.lanes is not None:
            begun = page is not None and self.lanes.begun(call, page)
            return FATES[RUNNING if begun else SENT, page is not None]
        done = call.ref.reached(page) if isinstance(call.ref, Chunk) else 0
        begun = page is not None and call.position + done <= page.progress
        if not begun and page is not None and not self.trusted and next(iter(self.sent), 0) == call.id:
            return UNKNOWN  # an untrusted guest may have begun it all the same
        return FATES[RUNNING if begun else SENT, page is not None]

    def in_flight(self) -> Iterable[Call]:
        return self.sent.values()


log = logging.getLogger("understudy.actors.guest")

POLITE = 0.02  # seconds in which a generator that nobody reads may come to its next item, and close there
LARGE = 1024 * 1024  # bytes handed over in one frame; a guest that reads slowly is not given more at once

TOLD: dict[int, Any] = {
    p.HELLO: GuestIncarnation.on_hello,
    p.READY: GuestIncarnation.on_ready,
    ITEM: on_items,
    p.FLAW: GuestIncarnation.on_flaw,
    p.ASK: GuestIncarnation.on_ask,
    p.FAILED: on_leaving,
    p.ENDING: on_leaving,
    p.STATE: on_state,
    p.MISHAP: on_mishap,
    **dict.fromkeys(CHANNELS, on_channel),
}
