"""The front door: what stands there, and what one is told of what does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

import understudy


@pytest.mark.parametrize("name", sorted(understudy.HOME))
def test_every_name_at_the_door_is_there(name: str) -> None:
    assert getattr(understudy, name) is getattr(understudy, name)
    assert name in dir(understudy)


def test_the_door_is_not_too_wide() -> None:
    assert len(understudy.HOME) <= 81


def test_public_names_have_docstrings() -> None:
    bare = [
        name for name in understudy.HOME if name != "ActorMethod" and not getattr(understudy, name).__doc__
    ]
    assert bare == []


def test_a_handle_is_an_actor_handle_to_those_who_ask_at_run_time() -> None:
    assert vars(understudy).get("Handle", understudy.Handle) is understudy.ActorHandle


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(AttributeError, match="understudy has no 'Aktor'; the front door has Actor, "):
        understudy.Aktor  # noqa: B018


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_door_loads_no_event_loop() -> None:
    assert (
        python("import sys, understudy; print('trio' in sys.modules, 'msgspec' in sys.modules)")
        == "False False"
    )


def test_actor_and_method_need_no_event_loop() -> None:
    code = (
        "import sys; from understudy import Actor, method, Process, exit_actor; print('trio' in sys.modules)"
    )
    assert python(code) == "False"


def test_a_room_under_its_bare_name_says_what_to_write() -> None:
    for room in ("actors", "supervisors", "transports"):
        code = f"""
import os, sys, understudy
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(understudy.__file__))))
try:
    import {room}
except ImportError as error:
    print(error)
"""
        assert f"write `from understudy.{room} import" in python(code)


def test_there_is_one_of_each_module() -> None:
    code = """
import understudy
from understudy.actors.actor import Actor
from understudy.supervisors import runtime
assert understudy.Actor is Actor
assert understudy.Runtime is runtime.Runtime
print("one")
"""
    assert python(code) == "one"
