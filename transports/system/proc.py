"""What the system itself says of a process, for when the process does not answer."""

from __future__ import annotations

from pathlib import Path

# Lines of /proc/PID/status worth a person's time.
SHOWN = ("State", "Threads", "VmRSS", "SigPnd", "ShdPnd", "SigBlk")


def state_of(pid: int) -> str:
    """Its state, waits and blocked signals, where the system tells; else that it does not."""
    folder = Path(f"/proc/{pid}")
    found = [line for line in read(folder / "status").splitlines() if line.partition(":")[0] in SHOWN]
    waits = read(folder / "wchan")
    if waits not in ("", "0"):
        found.append(f"Waits in:\t{waits}")
    return "\n".join(found) or "the system tells nothing of it"


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
