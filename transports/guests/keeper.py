"""The keeper: a small process that starts guests, reaps them, and leaves nothing behind.

Run as `python -I -S -E bootstrap.py keeper SOCKET HOST_PID PORTABLE`.  It is single-threaded, so forking is safe and
the guests' parent-death signal follows this process and not one of the host's threads.  It is a subreaper, and so is
each guest: whatever a dead guest leaves behind becomes a child of ours and is killed, in whatever session it is.
When the host ends, by any death, everything below the keeper is killed.

A keeper that was told to load code is a zygote: its guests are forks of it, and find that code there.
"""

from __future__ import annotations

import array
import contextlib
import errno
import marshal
import os
import select
import signal
import socket
from collections.abc import Callable, Sequence
from itertools import chain
from types import FrameType
from typing import Any

from .birth import Birth
from .descriptors import keep_low_numbers, move_aside
from .lineage import children_of, kill, kill_group, next_change
from .prctl import PR_SET_CHILD_SUBREAPER, find_prctl
from .spare import Spare, Waiting

MAX_DESCRIPTORS = 16
FEW = 2  # launches, after which a child is forked ahead for the next
STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Keeper:
    def __init__(self, link: socket.socket, host: int, portable: bool) -> None:
        self.link = link
        self.host = host
        self.portable = portable
        self.guests: set[int] = set()
        self.buffer = bytearray()
        self.received: list[list[int]] = []  # what came with each request
        self.own: list[int] = []  # descriptors that are ours alone, and no child's
        self.prctl = None if portable else find_prctl()
        self.launched = 0
        self.scan: list[str] | None = None  # of a zygote, where its guests look for modules
        self.spare: Spare | None = None
        self.spare_due = False  # once for each launch: one that cannot live is not forked again and again

    def run(self) -> None:
        """Serve the host until it is gone, then kill all that is below; raises Born in each child."""
        if self.prctl:
            self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        forbid_core_files()
        wake, woken = map(move_aside, os.pipe())
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        listen(woken)
        hosts = self.watch_host()
        self.own = [wake, woken, *hosts]
        poll = select.poll()
        for descriptor in (wake, self.link.fileno(), *hosts):
            poll.register(descriptor, select.POLLIN)
        # Without a descriptor of the host, a fork of it can hide its death: whose child we are is looked at.
        patience = 250 if self.portable else None
        alive = os.getppid() == self.host
        while alive:
            ready = {descriptor for descriptor, _ in poll.poll(0 if self.spare_due else patience)}
            if not ready and self.spare_due:
                self.fork_spare()
            if wake in ready:
                os.read(wake, 4096)
                self.reap()
            if self.link.fileno() in ready:
                alive = self.hear()
            alive = alive and not (ready - {wake, self.link.fileno()}) and os.getppid() == self.host
        self.kill_all()

    def watch_host(self) -> list[int]:
        """A forked copy of the host could hold the socket open; the host's own death is watched too."""
        if self.portable or not hasattr(os, "pidfd_open"):
            return []
        with contextlib.suppress(OSError):
            return [move_aside(os.pidfd_open(self.host))]
        return []

    # -- what the host asks ---------------------------------------------------------------------

    def hear(self) -> bool:
        """Read and serve requests; False when the host has gone."""
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        size = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
        try:
            data, ancillary, told, _ = self.link.recvmsg(65536, size, flags)
        except ConnectionError:
            return False
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                self.received.append(numbers.tolist())
        if told & socket.MSG_CTRUNC and not ancillary:
            self.received.append([])  # we have no number left for any
        self.buffer += data
        while len(self.buffer) >= 4 and len(self.buffer) >= 4 + (
            length := int.from_bytes(self.buffer[:4], "big")
        ):
            request = marshal.loads(bytes(self.buffer[4 : 4 + length]))
            del self.buffer[: 4 + length]
            if "key" in request:
                self.launch(request)
            elif not self.load(request):
                return False
        return bool(data)

    def load(self, settings: dict[str, Any]) -> bool:
        """Load what guests are to find; False, and told why, if it cannot be."""
        from .zygote import Zygote

        why = Zygote(settings, self.prctl, self.host).load()
        listen(self.own[1])  # whatever the code that was loaded has done with signals
        if why:
            self.tell("unfit", why)
        else:
            self.scan = settings["scan"] if settings["ours"] else None
            self.tell("ready")
        return not why

    def launch(self, request: dict[str, Any]) -> None:
        """Start a guest; it finds the i-th descriptor it was sent under the number `request["places"][i]`."""
        mine = self.received.pop(0) if self.received else []
        try:
            put_aside(mine, len(request["places"]))
            pid = self.by_spare(request, mine) or self.fork(request, mine)
        except OSError as error:
            self.tell("refused", request["key"], error.errno or 0, f"{error.strerror}")
        else:
            self.launched += 1
            # Whoever has launched twice may do so again, and a restart should find somebody ready.
            self.spare_due = self.scan is not None and self.launched >= FEW
            self.guests.add(pid)
            # The guest may not have come to it yet, and a group kill must find the group.
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            self.tell_launched(request["key"], pid)
        for descriptor in mine:
            os.close(descriptor)

    def fork(self, request: dict[str, Any], mine: list[int]) -> int:
        keeper, pid = os.getpid(), os.fork()
        if pid == 0:
            self.let_go()
            raise Born(Birth(request, mine, keeper, self.prctl))
        return pid

    # -- the spare ------------------------------------------------------------------------------

    def fork_spare(self) -> None:
        """Have a child wait to be the next guest; if that cannot be, do without until the next launch."""
        self.spare_due = False
        with contextlib.suppress(OSError):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, contextlib.ExitStack() as undo:
                undo.callback(ours.close)
                keeper, pid = os.getpid(), os.fork()
                if pid == 0:
                    self.let_go()
                    undo.close()
                    raise Born(Waiting(theirs, keeper, self.prctl).wait(self.scan or ()))
                undo.pop_all()
                self.spare = Spare(pid, ours)

    def by_spare(self, request: dict[str, Any], mine: list[int]) -> int:
        """The spare becomes this guest; returns its number, 0 if there is none that can."""
        spare, self.spare = self.spare, None
        if spare is None or not spare.become(request, mine):
            return 0
        return spare.pid

    def tell_launched(self, key: int, pid: int) -> None:
        """With a descriptor of the process, opened while it cannot have been reaped: it is this one, and no other."""
        try:
            pidfd = os.pidfd_open(pid) if not self.portable else -1
        except (OSError, AttributeError):
            pidfd = -1  # descriptors have run out: its number must do
        self.tell("launched", key, pid, pidfd >= 0, descriptors=[pidfd] if pidfd >= 0 else [])
        if pidfd >= 0:
            os.close(pidfd)

    def let_go(self) -> None:
        """In a child: what is the keeper's is closed."""
        signal.set_wakeup_fd(-1)
        spare = [self.spare.line.detach()] if self.spare is not None else []
        for descriptor in (self.link.detach(), *self.own, *chain(*self.received), *spare):
            os.close(descriptor)

    # -- what ends ------------------------------------------------------------------------------

    def reap(self) -> None:
        """Tell of guests that ended, stopped or went on; kill what the dead left behind."""
        while found := next_change(os.WUNTRACED | os.WCONTINUED | os.WNOHANG):
            pid, status = found
            if self.spare is not None and pid == self.spare.pid and not os.WIFCONTINUED(status):
                self.spare.end()  # it is dead, or stopped: of no use
                self.spare = None
            if pid not in self.guests:
                continue
            if os.WIFSTOPPED(status):
                if os.WSTOPSIG(status) not in STOPS:
                    continue  # a guest that has itself traced
                self.tell("stopped", pid, os.WSTOPSIG(status))
            elif os.WIFCONTINUED(status):
                self.tell("continued", pid)
            else:
                self.guests.discard(pid)
                self.tell("ended", pid, os.waitstatus_to_exitcode(status))
                kill_group(pid)
        self.kill_orphans()

    def kill_orphans(self) -> None:
        """A child of ours that is no guest belonged to a guest that is dead."""
        if self.prctl:
            spare = self.spare.pid if self.spare is not None else 0
            for pid in children_of(os.getpid()):
                if pid not in self.guests and pid != spare:
                    kill(pid)

    def kill_all(self) -> None:
        """Kill everything below, level by level, until nothing is left."""
        for pid in (*self.guests, *([self.spare.pid] if self.spare is not None else [])):
            kill_group(pid)
            kill(pid)
        while found := next_change(0):
            kill_group(found[0])
            if self.prctl:
                for pid in children_of(os.getpid()):
                    kill(pid)

    def tell(self, *message: int | str, descriptors: Sequence[int] = ()) -> None:
        data = marshal.dumps(message)
        data = len(data).to_bytes(4, "big") + data
        with contextlib.suppress(OSError):
            sent = socket.send_fds(self.link, [data], descriptors) if descriptors else 0
            if sent < len(data):
                self.link.sendall(data[sent:])


class Born(BaseException):
    """Raised in a forked child, so that nothing of the keeper is left below it."""

    def __init__(self, birth: Birth) -> None:
        self.birth = birth


def put_aside(descriptors: list[int], count: int) -> None:
    """See that all are there and can be put in their places; a child could tell nobody.

    Raises:
        OSError: if this process has no number left for one.
    """
    try:
        for at, number in enumerate(descriptors):
            descriptors[at] = move_aside(number)
    except OSError:
        count = -1
    if len(descriptors) != count:
        raise OSError(errno.EMFILE, "too many open files in the process that starts guests")


def listen(woken: int) -> None:
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, heard_by_descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def heard_by_descriptor(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor tells; without a handler the signal would not reach it."""


def forbid_core_files() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def main(arguments: list[str]) -> Callable[[], Any] | None:
    descriptor, host, portable = (int(number) for number in arguments[:3])
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    link = socket.socket(fileno=move_aside(descriptor))
    keep_low_numbers()
    try:
        Keeper(link, host, bool(portable)).run()
    except Born as born:
        birth = born.birth
    else:
        return None
    return birth.begin
