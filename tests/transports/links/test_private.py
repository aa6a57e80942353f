"""Private sockets: for programs of the same user, and nobody else."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.transports.links.private import NotPrivate, folder, is_ours, private_socket, sockets


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "understudy"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_directory_and_socket_are_ours_alone_whatever_the_umask(place: Path) -> None:
    before = os.umask(0)
    try:
        with private_socket() as door:
            assert (mode_of(place), mode_of(door.path)) == (0o700, 0o600)
            assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_a_socket_is_found_by_its_process_and_goes_with_it(place: Path) -> None:
    with private_socket() as first, private_socket() as second:
        assert sockets() == {os.getpid(): [first.path, second.path]}
    assert sockets() == {}
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_directory_that_others_may_enter_is_refused(place: Path, mode: int) -> None:
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(NotPrivate, match="not a directory of yours alone"):
        private_socket()
    with pytest.raises(NotPrivate):
        sockets()


def test_a_link_in_the_place_of_the_directory_is_refused(place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotPrivate):
        private_socket()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 12345, -1)
    with pytest.raises(NotPrivate):
        private_socket()


def test_without_a_runtime_directory_it_is_one_of_the_users_own_below_the_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert folder() == tmp_path / f"understudy-{os.getuid()}"
    assert mode_of(folder()) == 0o700


@pytest.mark.slow
def test_what_a_killed_process_left_is_neither_shown_nor_kept(place: Path) -> None:
    code = "import os, understudy.transports.links.private as p; d = p.private_socket(); print(d.path); os._exit(1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.exists()
    assert sockets() == {}
    with private_socket():
        assert not left.exists()


def test_whoever_connects_is_asked_who_it_is() -> None:
    with private_socket() as door, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(door.path))
        peer, _ = door.socket.accept()
        with peer:
            assert is_ours(peer)


@pytest.mark.skipif(
    not hasattr(socket, "SO_PEERCRED") or os.getuid() != 0, reason="only root can become another"
)
@pytest.mark.slow
def test_another_users_program_is_known_as_such(place: Path, tmp_path: Path) -> None:
    code = f"import os, socket; os.setuid(12345); s = socket.socket(socket.AF_UNIX); s.connect({str(tmp_path / 's')!r}); s.recv(1)"
    with socket.socket(socket.AF_UNIX) as listener:
        for path in (tmp_path, *list(tmp_path.parents)[:2]):
            path.chmod(path.stat().st_mode | 0o111)
        listener.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0o666)
        listener.listen()
        listener.settimeout(20)
        with subprocess.Popen([sys.executable, "-c", code]):
            peer, _ = listener.accept()
            with peer:
                assert not is_ours(peer)
