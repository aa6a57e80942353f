"""Actors that try what a sandbox is there to prevent."""

import ctypes
import importlib
import os
import signal
import socket
import subprocess
import sys

from understudy import Actor, method

PTRACE_ATTACH = 16


class Prisoner(Actor):
    @method
    def look(self, folder: str) -> list[str]:
        return sorted(os.listdir(folder))

    @method
    def read(self, path: str) -> str:
        with open(path) as file:
            return file.read()

    @method
    def write(self, path: str, text: str = "x") -> int:
        with open(path, "a") as file:
            return file.write(text)

    @method
    def fill(self, path: str, size: int) -> None:
        with open(path, "wb") as file:
            file.writelines(bytes(65536) for _ in range(size // 65536))

    @method
    def environ(self) -> dict[str, str]:
        return dict(os.environ)

    @method
    def folder(self) -> str:
        return os.getcwd()

    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def numbers(self) -> list[int]:
        """The processes that it can see."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]

    @method
    def status(self) -> dict[str, str]:
        with open("/proc/self/status") as file:
            pairs = (line.partition(":") for line in file)
            return {name: text.strip() for name, _, text in pairs}

    @method
    def connect(self, host: str, port: int) -> str:
        with socket.create_connection((host, port), timeout=5) as sock:
            return sock.recv(100).decode()

    @method
    def connect_abstract(self, name: str) -> str:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect("\0" + name)
            return sock.recv(100).decode()

    @method
    def signal(self, pid: int, number: int) -> None:
        os.kill(pid, number)

    @method
    def trace(self, pid: int) -> int:
        """Attach to a process as a debugger does; returns the error."""
        libc = ctypes.CDLL(None, use_errno=True)
        return 0 if libc.ptrace(PTRACE_ATTACH, pid, None, None) == 0 else ctypes.get_errno()

    @method
    def output(self, command: list[str]) -> str:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    @method
    def has(self, name: str) -> bool:
        try:
            importlib.import_module(name)
        except ImportError:
            return False
        return True

    @method
    def eat(self, size: int) -> int:
        return len(bytearray(size))

    @method
    def new_user_namespace(self) -> int:
        """Unshare the user namespace; returns the error."""
        libc = ctypes.CDLL(None, use_errno=True)
        return 0 if libc.unshare(0x10000000) == 0 else ctypes.get_errno()

    @method
    def spin(self) -> None:
        while True:
            pass

    @method
    def sleep_deaf(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        while True:
            pass

    @method
    def die(self, number: int) -> None:
        os.kill(os.getpid(), number)
        signal.pause()

    @method
    def exit(self, status: int) -> None:
        os._exit(status)

    @method
    def leave_behind(self) -> str:
        """Start a process in a session of its own; returns a name it can be found by from outside."""
        name = f"left-behind-{os.urandom(8).hex()}"
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", name], start_new_session=True)
        return name
