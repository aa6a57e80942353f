"""Which paths a sandboxed guest must see, and how they are mounted: symbolic links are made again, folders bound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

READ, WRITE = "--ro-bind", "--bind"
MOST_LINKS = 40  # on the way to one file, as in the kernel

# What programs need of the system, as far as it is there.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime",
)  # fmt: skip

# What programs need of it beside that to find a host and believe it.
NETWORK = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/gai.conf",
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
)  # fmt: skip

# Folders that hold more than one program's own: never shown because something lies in them.
SHARED = ("/", "/home", "/root", "/etc", "/var", "/run", "/tmp", "/dev", "/proc", "/sys", "/mnt", "/srv")


def mounts(readable: Iterable[str], writable: Iterable[str]) -> list[str]:
    """The options that show these paths under their own names; those that are not there are left out."""
    binds: dict[str, str] = {}
    links: dict[str, str] = {}
    for kind, paths in ((READ, readable), (WRITE, writable)):
        for path in paths:
            *passed, (_, real) = steps(path)
            links.update(passed)
            if os.path.exists(real):
                binds[real] = kind
    kept = {path: kind for path, kind in binds.items() if not is_seen(path, kind, binds)}
    made = {link: target for link, target in links.items() if not is_under(link, kept)}
    found = [("--symlink", target, link) for link, target in sorted(made.items())]
    found += [(kept[path], path, path) for path in sorted(kept)]  # a folder comes before what lies in it
    return [word for option in found for word in option]


def steps(path: str) -> Iterator[tuple[str, str]]:
    """The symbolic links on the way to a file, each with what it says; at last `""` and the file's real path."""
    at, rest = "/", [part for part in path.split("/") if part]
    left = MOST_LINKS
    while rest:
        part = rest.pop(0)
        step = os.path.normpath(os.path.join(at, part))
        if left and os.path.islink(step):
            left -= 1
            target = os.readlink(step)
            yield step, target
            at, rest = ("/" if target.startswith("/") else at), [*filter(None, target.split("/")), *rest]
        else:
            at = step
    yield "", at


def is_seen(path: str, kind: str, binds: dict[str, str]) -> bool:
    """Is it shown already, in the same way, with the nearest folder that is?"""
    above = [folder for folder in map(str, Path(path).parents) if folder in binds]
    return bool(above) and binds[above[0]] == kind


def is_under(path: str, folders: Iterable[str]) -> bool:
    parents = set(map(str, Path(path).parents))
    return any(folder in parents for folder in folders)


def is_shared(path: str, home: str) -> bool:
    """Does a folder hold what is nobody's business: a home, the system's settings, everything?"""
    real = os.path.realpath(path)
    return real in SHARED or home == real or home.startswith(real.rstrip("/") + "/")


def of_interpreter(python: str) -> Iterator[str]:
    """What an interpreter needs: itself, and the folder that it was installed to; of a virtual environment no packages."""
    for link, _ in steps(python):
        file = link or os.path.realpath(python)
        folder = os.path.dirname(file)
        above = os.path.dirname(folder)
        settings = os.path.join(above, "pyvenv.cfg")
        yield file
        if os.path.exists(settings):
            yield from (folder, settings)
            yield from of_base(settings)
        elif os.path.isdir(os.path.join(above, "lib")):
            yield above


def of_base(settings: str) -> Iterator[str]:
    """The folder of the interpreter that a virtual environment was made from."""
    for line in Path(settings).read_text(errors="replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            yield os.path.dirname(value.strip())


def of_packages(names: dict[str, str]) -> Iterator[str]:
    """Single packages out of the folders they lie in, with the rooms that ours links to."""
    for name, folder in names.items():
        package = os.path.join(folder, name)
        yield package
        if os.path.isdir(package):
            yield from (entry.path for entry in os.scandir(package) if entry.is_symlink())
