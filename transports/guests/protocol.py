"""What both ends of a link agree on: versions, message kinds, the page's layout.

Read by the host and by guests, so it needs nothing but the interpreter.  A frame is a 4-byte big-endian
length and a msgpack list of messages; a message is a list that begins with its kind.
"""

from __future__ import annotations

VERSION = 1

# Host to guest.
START = 1  # [START, settings]
CALL = 2  # [CALL, id, method, args, kwargs?, context?]
CAST = 3  # [CAST, id, method, args, kwargs?, context?]; answered like a call, so that its place is freed
CODE = 4  # [CODE, hash, pickled function or class]
STOP = 5  # [STOP, reason]
CREDIT = 6  # [CREDIT, id, items]; so many more items of a stream may come
STREAM = (
    7  # [STREAM, id, method, args, kwargs?, context?]; a call of a generator, answered by items and a reply
)
MAP = 8  # [MAP, id, method, [args], kwargs?, context?]; many calls in one, answered item by item; the n-th has id + n
CANCEL = 9  # [CANCEL, id]; to guests that read while methods run, and for streams
ANSWER = 10  # [ANSWER, number, value]; to an ASK
REFUSAL = 11  # [REFUSAL, number, fault]; to an ASK
VALUE = 12  # [VALUE, key, value]; of a ref, still encoded; a call's context tells where it belongs
FREE = 13  # [FREE, key]; the value is not needed any more
BACK = 14  # [BACK, id]; a call that waits has come back within its chain: it begins now
PREPARE = 15  # [PREPARE, settings]; to a standby: load the actor's code and wait for START

# Guest to host.
HELLO = 16  # [HELLO, version, capabilities, pid]
READY = 17  # [READY]
FAILED = (
    18  # [FAILED, fault, step?]; __init__ raised, or else the step that is named; or the actor has DECLINED
)
RESULT = 19  # [RESULT, id, value]
ERROR = 20  # [ERROR, id, fault]
SKIPPED = 21  # [SKIPPED, id]; cancelled before it began
ENDING = 22  # [ENDING, outcome, fault?, id]; it ends, and nothing follows but what its last hooks say; with a fault, outcome is what raised
ITEM = 23  # [ITEM, id, [values]]; of a stream
INTERRUPTED = 24  # [INTERRUPTED, id]; the method let the interrupt pass
CLOSED = 29  # [CLOSED, id]; a stream or a MAP was cut short between two of its items, or where it awaits
FLAW = 25  # [FLAW, id, fault]; one item of a MAP raised, or cannot travel
ASK = 26  # [ASK, number, id of the call that asks, request]; the guest wants something of its host
STATE = 27  # [STATE, value]; what save_state returned, for the next incarnation
MISHAP = 28  # [MISHAP, hook, fault]; a hook raised, or a task in the actor's nursery, and that changes no step of the guest's
PREPARED = 30  # [PREPARED]; a standby has loaded what it could

WROTE = 31  # [WROTE, 1 or 2, [[id, end]]]; so far go the bytes that calls printed, ahead of what they are answered with

# Channels, host to guest; an end is named by a number of the guest's own.
DELIVER = 40  # [DELIVER, end, epoch, [items]]; to a receiving end
GRANT = 41  # [GRANT, end, epoch, items]; so many more may be put in by this sending end
FINISH = 42  # [FINISH, end, kind, text]; nothing more comes, or is taken; or one item cannot travel here

# Channels, guest to host.
ATTACH = 48  # [ATTACH, end, ticket, slot]; an end has come with a ticket, or (negative) is the clone of another end
PUT = 49  # [PUT, end, [items], need]; and so much room is needed beside what was granted
WANT = 50  # [WANT, end, items, taken, now]; so many more are wanted, so many in all were taken; now: answer at once
RETURN = 51  # [RETURN, end, kept]; what was delivered or granted beyond so many in all is not used
DETACH = 52  # [DETACH, end, kept]; the end is closed, or nobody holds it any more

# What a guest heeds while it waits, and to its very end.
ANSWERS = frozenset({ANSWER, REFUSAL, CODE, DELIVER, GRANT, FINISH})
REPLIES = frozenset({RESULT, ERROR, SKIPPED, INTERRUPTED, CLOSED})  # each ends one call

NAMES = {
    value: name
    for name, value in list(globals().items())
    if isinstance(value, int) and name.isupper() and name != "VERSION"
}

# Who printed it, in a WROTE, if it is not known to be a call: it was none, or may be any.
NONE, UNKNOWN = 0, -1

CAPABILITIES = ("calls", "casts", "code", "interrupt", "streams", "asks", "hooks")
PAGE_CAPABILITY = "page"

AHEAD = 256  # items that a generator may be ahead of whoever reads its stream, unless told otherwise

DECLINED = "declined"  # a start that the actor itself called off: it need not run

# Values that msgpack carries without changing their type; anything else travels pickled, as an extension.
PICKLED = 1
END = 2  # of a channel, to a guest that gets data only: its direction and the number of its ticket
PLAIN_TYPES = frozenset({int, str, float, bool, type(None), bytes})

# A call may be in the guest's hands only if its cancellation fits the page's ring: so the ring never overflows.
WINDOW = 256

# The page, in 8-byte words.  Every word has one writer, so a store needs no lock.
PAGE_BYTES = 4096
BEGUN = 0  # guest: the call it has begun
ENDED = 1  # guest: the call it has ended
PROGRESS = 2  # guest: calls begun so far
CANCELS_SEEN = 3  # guest: entries of the ring it has read
INTERRUPT = 4  # host: the call to be interrupted
CANCELS = 5  # host: entries of the ring it has written
BUSY = 6  # guest: the latest call that it did not expect to be quick
BUSY_SINCE = 7  # guest: when that began, in nanoseconds of the system's monotonic clock
GROUPS = 16  # guest: calls begun so far by each concurrency group, in the order of START's settings
MOST_GROUPS = 16
REENTRANT = MOST_GROUPS - 1  # the group of calls that came back within one chain of calls
CANCEL_RING = 32  # host: ids of cancelled calls
RING = 352  # longer than the window: a guest may be looking while the host writes
TAKEN = CANCEL_RING + RING  # guest: items taken so far by each receiving end of a channel that has a slot
SLOTS = PAGE_BYTES // 8 - TAKEN

# What a guest says of its end.
NORMAL, CRASHED = "normal", "crashed"

# What `on_stop` is told, beside NORMAL.
SHUTDOWN, ERRED = "shutdown", "error"

# What a MISHAP may name.
LOAD, SAVE, LAST, NURSERY = "load_state", "save_state", "on_stop", "nursery"

# The hook that comes as a CAST: what the actor watched has ended.
DOWN = "on_down"
