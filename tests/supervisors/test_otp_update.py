"""Erlang's supervisor suite: new flags and specs for a running supervisor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_otp import ABNORMAL, Player, Scene, child, supervise
from tests.rehearsal import LOCAL
from understudy import Actor, Pool, Supervisor
from understudy.supervisors.errors import TooManyChildren


class Other(Actor, executor=LOCAL):
    pass


def test_new_flags_and_specs_replace_the_old_in_place() -> None:
    """code_change, code_change_map: children that run go on"""

    async def play(scene: Scene) -> None:
        await scene.sup.update(
            Supervisor(child("a", restart="temporary"), child("c"), strategy="one_for_all", intensity=7)
        )
        assert await scene.states() == {"b": "running", "a": "running", "c": "undefined"}
        assert scene.incarnation("a") == scene.incarnation("b") == 1
        flags = scene.runtime.house.nodes["sup"].core.flags
        assert (flags.intensity, repr(flags.strategy)) == (7, "OneForAll()")
        assert await (await scene.sup.restart_child("c")).ping() == ("c",)
        await scene.end("a", ABNORMAL)
        assert "a" not in await scene.states()

    supervise(play, child("a"), child("b"))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: Supervisor(child("b"), Other.options(id="a").child()), "would change its class or executor"),
        (lambda: Supervisor(Supervisor(id="a")), "'a' is of another kind"),
        (lambda: Supervisor(template=Player.child()), "stays static or dynamic"),
        (lambda: Supervisor(child("a"), intensity=-1), "intensity must be"),
        (lambda: Supervisor(child("a"), child("a")), "two children"),
        (lambda: Supervisor(child("a", name="other")), "would change its name"),
        (lambda: Supervisor(Pool(Player, size=2, id="a")), "'a' is of another kind"),
        (lambda: Supervisor(child("a"), child("b"), Pool(Player, size=2, id="p")), "'p' is a pool"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_is_changed(wrong: Any, text: str) -> None:
    """code_change: bad flags, bad specs"""

    async def play(scene: Scene) -> None:
        before = scene.runtime.house.nodes["sup"].core.flags
        with pytest.raises(ValueError, match=text):
            await scene.sup.update(wrong())
        assert await scene.states() == {"a": "running"}
        assert scene.runtime.house.nodes["sup"].core.flags is before

    supervise(play, child("a"))


def test_a_new_child_whose_name_is_taken_changes_nothing() -> None:
    async def play(scene: Scene) -> None:
        await Player.options(name="taken").start()
        with pytest.raises(Exception, match="the name 'taken' is held"):
            await scene.sup.update(Supervisor(child("a"), child("b"), child("c", name="taken"), intensity=9))
        assert await scene.states() == {"a": "running"}
        assert scene.runtime.house.nodes["sup"].core.flags.intensity == 3
        await scene.sup.start_child(child("b"))

    supervise(play, child("a"))


def test_a_template_can_change_and_so_can_its_limit() -> None:
    """code_change_simple, code_change_simple_map; and max_children, which Elixir enforces from then on"""

    async def play(scene: Scene) -> None:
        first = await scene.sup.start_child()
        await scene.sup.update(
            Supervisor(template=Player.options(restart="temporary").child("new"), max_children=2)
        )
        assert await (await scene.sup.start_child()).ping() == ("new",)
        with pytest.raises(TooManyChildren):
            await scene.sup.start_child()
        await scene.end("1", ABNORMAL)
        assert await scene.counts() == [1, 1, 0, 1]
        assert first is not None

    supervise(play, template=Player.child("d"))


def test_a_supervisor_that_begins_again_begins_with_the_new_plan() -> None:
    async def play(scene: Scene) -> None:
        inner = scene.runtime.supervisor("sup/in")
        await inner.update(Supervisor(child("c"), child("b"), id="in", intensity=0))
        await scene.end("in/b", ABNORMAL)
        assert [info.id for info in await inner.which_children()] == ["b", "c"]
        assert {info.state for info in await inner.which_children()} == {"running"}

    supervise(play, Supervisor(child("a"), child("b"), id="in", intensity=0))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (Pool(Player, size=2, id="p"), "'p' is a pool"),
        (Supervisor(child("y", name="twice"), child("z", name="twice"), id="deep"), "'twice' is held"),
        (Other.options(id="q").child(), "would change its class"),
    ],
)
def test_what_cannot_be_further_down_changes_nothing_above(wrong: Any, text: str) -> None:
    async def play(scene: Scene) -> None:
        nodes = scene.runtime.house.nodes
        plan = Supervisor(child("a"), child("b"), Supervisor(child("new"), wrong, id="in"), intensity=9)
        with pytest.raises(Exception, match=text):
            await scene.sup.update(plan)
        assert await scene.states() == {"a": "running", "in": "running"}
        assert list(nodes["sup"].children) == list(nodes["sup"].core.children) == ["a", "in"]
        assert list(nodes["sup/in"].children) == ["q"]
        assert nodes["sup"].core.flags.intensity == 3
        assert "sup/in/deep" not in nodes
        await scene.sup.start_child(child("b", name="twice"))
        await scene.runtime.supervisor("sup/in").start_child(child("new"))

    supervise(play, child("a"), Supervisor(child("q"), id="in"))


def test_what_is_new_further_down_is_added_with_the_rest() -> None:
    async def play(scene: Scene) -> None:
        inner = scene.runtime.supervisor("sup/in")
        await scene.sup.update(Supervisor(child("b"), Supervisor(child("q"), child("r"), id="in")))
        assert await scene.states() == {"in": "running", "b": "undefined", "a": "running"}
        assert {info.id: info.state for info in await inner.which_children()} == {
            "q": "running",
            "r": "undefined",
        }
        assert await (await inner.restart_child("r")).ping() == ("r",)

    supervise(play, child("a"), Supervisor(child("q"), id="in"))


def test_a_plan_that_would_be_nested_too_deep_is_refused() -> None:
    async def play(scene: Scene) -> None:
        deep = child("leaf")
        for level in range(199):
            deep = Supervisor(deep, id=f"s{level}")
        with pytest.raises(ValueError, match="nested 200 levels deep"):
            await scene.sup.update(Supervisor(child("a"), deep))
        assert await scene.states() == {"a": "running"}

    supervise(play, child("a"))


def test_a_pool_keeps_its_plan() -> None:
    async def play(scene: Scene) -> None:
        await scene.sup.update(Supervisor(Pool(Player.child("m"), size=1, id="p"), intensity=9))
        for other in (Pool(Player.child("m"), size=2, id="p"), Pool(Player.child("n"), size=1, id="p")):
            with pytest.raises(ValueError, match="the pool 'p' would change"):
                await scene.sup.update(Supervisor(other, intensity=7))
        with pytest.raises(ValueError, match="'p' is of another kind"):
            await scene.sup.update(Supervisor(child("p")))
        assert scene.runtime.house.nodes["sup"].core.flags.intensity == 9

    supervise(play, Pool(Player.child("m"), size=1, id="p"))


@pytest.mark.parametrize("wrong", [5, None, child("a")])
def test_what_is_no_plan_is_refused(wrong: Any) -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(TypeError, match="takes a plan"):
            await scene.sup.update(wrong)

    supervise(play, child("a"))
