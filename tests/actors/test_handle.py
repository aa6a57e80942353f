"""What a handle offers, and what it says of what it does not."""

import copy
import pickle
from typing import Any

import pytest

from tests.cast import Player
from tests.rehearsal import LOCAL, rehearse
from understudy import Actor, ActorHandle, Runtime, current_actor, current_call, exit_actor, method, remote
from understudy.actors.verbs import life_of

Quiet = Player.options(executor=LOCAL)


def message_for(name: str) -> str:
    async def scene(runtime: Runtime) -> str:
        handle: Any = await Quiet.start()
        with pytest.raises(AttributeError) as error:
            getattr(handle, name)
        assert error.value.name == name
        return str(error.value)

    return rehearse(scene)


def test_an_unknown_method_is_answered_with_the_nearest_one() -> None:
    assert message_for("ad") == "Player has no method 'ad'; did you mean 'add'?"


def test_a_method_like_no_other_is_answered_with_all_there_are() -> None:
    assert "it has add, both, echo, leave" in message_for("zzzzz")


def test_an_undecorated_method_says_how_to_reach_it() -> None:
    assert (
        message_for("helper")
        == "Player.helper is not marked; put @method above it, or write h.call(Player.helper, ...)"
    )


def test_a_staticmethod_is_no_method() -> None:
    assert message_for("still") == "Player.still is a staticmethod; a handle offers methods only"


def test_a_property_is_no_method() -> None:
    assert message_for("doubled") == "Player.doubled is a property; a handle offers methods only"


@pytest.mark.parametrize("name", ["remote", "start", "options", "child"])
def test_what_belongs_to_the_class_is_not_on_the_handle(name: str) -> None:
    assert message_for(name) == f"'{name}' belongs to the class Player, not to a handle of it"


@pytest.mark.parametrize("name", ["call", "child", "options", "remote", "start"])
def test_a_reserved_name_cannot_be_exported(name: str) -> None:
    with pytest.raises(TypeError, match=rf"Bad\.{name}: handles use this name themselves"):
        type("Bad", (Actor,), {name: method(nowhere)})


def test_a_special_method_cannot_be_exported() -> None:
    with pytest.raises(TypeError, match=r"Bad\.__len__: special methods cannot be called through a handle"):
        type("Bad", (Actor,), {"__len__": method(nowhere)})


@pytest.mark.parametrize("name", ["call", "start", "options"])
def test_a_plain_class_with_a_reserved_name_is_refused_rather_than_robbed_of_it(name: str) -> None:
    plain = type("Plain", (), {name: lambda self: None})

    with pytest.raises(TypeError, match=rf"Plain\.{name}: .*choose another"):
        remote(plain)


def test_calling_a_handle_says_what_to_write() -> None:
    async def scene(runtime: Runtime) -> None:
        handle: Any = await Quiet.start()
        with pytest.raises(
            TypeError, match=r"this is a handle of one Player; start another with Player.remote\(...\)"
        ):
            handle()

    rehearse(scene)


def test_a_handle_that_travels_stands_for_the_same_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        handle = await Quiet.start()
        for carried in (pickle.loads(pickle.dumps(handle)), copy.copy(handle), copy.deepcopy(handle)):
            assert carried == handle and hash(carried) == hash(handle)
        assert handle != await Quiet.start()

    rehearse(scene)


def test_a_handle_tells_what_it_is() -> None:
    async def scene(runtime: Runtime) -> None:
        handle = await Quiet.start()

        assert repr(handle) == "<Player 'player-1': ready, incarnation 1>"
        assert repr(handle.add) == "<method add of player-1>"
        assert {"add", "echo", "call"} <= set(dir(handle))
        assert "helper" not in dir(handle)
        assert handle.add.__doc__ == "Add n."
        assert handle.add is handle.add

    rehearse(scene)


def test_call_reaches_any_method_marked_or_not() -> None:
    async def scene(runtime: Runtime) -> None:
        handle: Any = await Quiet.start(3)

        assert await handle.call(Player.helper, 4) == 7
        assert await handle.call(Player.add, 4) == 7
        assert await handle.call(handle.add, 1) == 8
        with pytest.raises(TypeError, match="helper"):
            handle.call(Player.helper)
        with pytest.raises(AttributeError, match="Player has no method 'nowhere'"):
            handle.call(nowhere)

    rehearse(scene)


def nowhere(self: Player) -> None: ...


def test_an_override_stays_exported_though_it_forgot_its_mark() -> None:
    class Louder(Player):
        def add(self, n: int = 1, *, times: int = 1) -> Any:
            return 2 * super().add(n, times=times)

    async def scene(runtime: Runtime) -> None:
        louder: Any = await Louder.options(executor=LOCAL).start()
        assert await louder.add(2) == 4

    rehearse(scene)


def test_the_class_stays_the_class() -> None:
    player = Player(1)

    assert player.add(2) == 3
    assert player.doubled == 6
    assert vars(Player)["add"].__name__ == "add"


def test_the_base_class_itself_is_no_actor() -> None:
    for use in (Actor.remote, Actor.child):
        with pytest.raises(TypeError, match="Actor is the base of actor classes"):
            use()


def test_verbs_take_handles_only() -> None:
    with pytest.raises(TypeError, match="this takes the handle of an actor, not 7"):
        life_of(7)


def test_outside_a_method_there_is_no_call_and_no_actor() -> None:
    with pytest.raises(RuntimeError, match="no call runs here"):
        current_call()
    with pytest.raises(RuntimeError, match="no actor runs here"):
        current_actor()
    with pytest.raises(RuntimeError, match=r"from outside use kill\(handle\)"):
        exit_actor()


def test_a_handle_is_an_actor_handle() -> None:
    async def scene(runtime: Runtime) -> None:
        assert isinstance(await Quiet.start(), ActorHandle)

    rehearse(scene)
