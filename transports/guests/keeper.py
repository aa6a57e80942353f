"""The keeper: one small process per runtime that starts guests, reaps them, and leaves nothing behind.

Run as `python -I -S -E keeper.py SOCKET HOST_PID`.  It is single-threaded, so forking is safe and the guests'
parent-death signal follows this process and not one of the host's threads.  It is a subreaper, and so is each
guest: whatever a dead guest leaves behind becomes a child of ours and is killed, in whatever session it is.
When the host ends, by any death, everything below the keeper is killed.
"""

import array
import contextlib
import marshal
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MAX_DESCRIPTORS = 8
STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
FIRST_SPARE = 64  # descriptors are moved above this before they are put in their places


class Keeper:
    def __init__(self, link: socket.socket, host: int, portable: bool) -> None:
        self.link = link
        self.host = host
        self.portable = portable
        self.guests: set[int] = set()
        self.buffer = bytearray()
        self.descriptors: list[int] = []
        self.prctl = None if portable else find_prctl()

    def run(self) -> None:
        """Serve the host until it is gone, then kill all that is below."""
        if self.prctl:
            self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        forbid_core_files()
        wake, woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else quiet_pipe()
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, heard_by_descriptor)
        poll = select.poll()
        for descriptor in (wake, self.link.fileno(), *self.watch_host()):
            poll.register(descriptor, select.POLLIN)
        # Without a descriptor of the host, a fork of it can hide its death: whose child we are is looked at.
        patience = 250 if self.portable else None
        alive = os.getppid() == self.host
        while alive:
            ready = {descriptor for descriptor, _ in poll.poll(patience)}
            if wake in ready:
                os.read(wake, 4096)
            if self.link.fileno() in ready:
                alive = self.hear()
            self.reap()
            alive = alive and not (ready - {wake, self.link.fileno()}) and os.getppid() == self.host
        self.kill_all()

    def watch_host(self) -> list[int]:
        """A forked copy of the host could hold the socket open; the host's own death is watched too."""
        if self.portable or not hasattr(os, "pidfd_open"):
            return []
        with contextlib.suppress(OSError):
            return [os.pidfd_open(self.host)]
        return []

    # -- what the host asks ---------------------------------------------------------------------

    def hear(self) -> bool:
        """Read and serve requests; False when the host has gone."""
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        size = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self.link.recvmsg(65536, size, flags)
        except ConnectionError:
            return False
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                self.descriptors += numbers
        self.buffer += data
        while len(self.buffer) >= 4 and len(self.buffer) >= 4 + (
            length := int.from_bytes(self.buffer[:4], "big")
        ):
            request = marshal.loads(bytes(self.buffer[4 : 4 + length]))
            del self.buffer[: 4 + length]
            self.launch(*request)
        return bool(data)

    def launch(
        self, key: int, argv: list[str], environ: dict[str, str], folder: str | None, places: list[int]
    ) -> None:
        """Start a guest; `places[i]` is the number under which it finds the i-th descriptor it was sent."""
        mine, self.descriptors = self.descriptors[: len(places)], self.descriptors[len(places) :]
        try:
            pid = os.fork()
        except OSError as error:
            self.tell("refused", key, error.errno or 0, f"{error.strerror}")
        else:
            if pid == 0:
                self.become_guest(argv, environ, folder, mine, places)
            self.guests.add(pid)
            # The guest may not have come to it yet, and a group kill must find the group.
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            self.tell("launched", key, pid)
        for descriptor in mine:
            os.close(descriptor)

    def become_guest(
        self, argv: list[str], environ: dict[str, str], folder: str | None, mine: list[int], places: list[int]
    ) -> None:
        """In the forked child: take our own group, die with the keeper, put descriptors in place, exec."""
        try:
            os.setpgid(0, 0)
            if self.prctl:
                self.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
                if os.getppid() != KEEPER_PID:
                    os._exit(1)
            restore_signals()
            place_descriptors(mine, places)
            if folder is not None:
                os.chdir(folder)
            os.execve(argv[0], argv, environ)
        except BaseException as error:
            os.write(
                2, f"understudy: cannot run {argv[0]!r} in {folder or os.getcwd()!r}: {error}\n".encode()
            )
        finally:
            os._exit(127)

    # -- what ends ------------------------------------------------------------------------------

    def reap(self) -> None:
        """Tell of guests that ended, stopped or went on; kill what the dead left behind."""
        while found := next_change(os.WUNTRACED | os.WCONTINUED | os.WNOHANG):
            pid, status = found
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
                kill_group(pid)
                self.kill_orphans()
                self.tell("ended", pid, os.waitstatus_to_exitcode(status))
        self.kill_orphans()

    def kill_orphans(self) -> None:
        """A child of ours that is no guest belonged to a guest that is dead."""
        if self.prctl:
            for pid in children_of(os.getpid()):
                if pid not in self.guests:
                    kill(pid)

    def kill_all(self) -> None:
        """Kill everything below, level by level, until nothing is left."""
        for pid in self.guests:
            kill_group(pid)
            kill(pid)
        while found := next_change(0):
            kill_group(found[0])
            if self.prctl:
                for pid in children_of(os.getpid()):
                    kill(pid)

    def tell(self, *message: int | str) -> None:
        data = marshal.dumps(message)
        with contextlib.suppress(OSError):
            self.link.sendall(len(data).to_bytes(4, "big") + data)


KEEPER_PID = os.getpid()


def heard_by_descriptor(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor tells; without a handler the signal would not reach it."""


def find_prctl() -> Callable[..., int] | None:
    """The C library's prctl, where there is one."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    return prctl


def quiet_pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def next_change(options: int) -> tuple[int, int] | None:
    """The next child that changed state; None if there is none (or no child at all)."""
    try:
        pid, status = os.waitpid(-1, options)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def children_of(pid: int) -> list[int]:
    """Direct children, by the kernel's list, or by reading every process where it keeps none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listing:
            return [int(number) for number in listing.read().split()]
    except OSError:
        return [child for child in all_processes() if parent_of(child) == pid]


def all_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def parent_of(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def forbid_core_files() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def restore_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def place_descriptors(mine: list[int], places: list[int]) -> None:
    """Move every descriptor out of the way first: a place may be the present number of another."""
    import fcntl

    spare = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_SPARE) for descriptor in mine]
    for descriptor, place in zip(spare, places, strict=True):
        os.dup2(descriptor, place, inheritable=True)


def main() -> None:
    descriptor, host, portable = (int(number) for number in sys.argv[1:])
    os.set_inheritable(descriptor, False)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Keeper(socket.socket(fileno=descriptor), host, bool(portable)).run()


if __name__ == "__main__":
    main()
