"""Erlang's supervisor suite: how children start, and which specs and flags there are."""

from __future__ import annotations

import math
from functools import partial
from itertools import product
from typing import Any

import pytest

from tests.cast_otp import NORMAL, RESTARTS, Player, Scene, child, supervise
from tests.rehearsal import LOCAL, run
from understudy import Actor, ActorStartError, Backoff, ChildSpec, Supervisor, exit_actor, open_runtime
from understudy.supervisors.errors import NotFound
from understudy.supervisors.spec import check_specs


def test_an_empty_supervisor_starts_and_stops_when_told() -> None:
    """sup_start_normal"""

    async def play(scene: Scene) -> None:
        assert await scene.counts() == [0, 0, 0, 0]
        await scene.top.terminate_child("sup")

    assert not supervise(play).gave_up


def test_a_child_that_declines_is_kept_without_a_process() -> None:
    """sup_start_ignore_child"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["decline"]
        assert await scene.sup.start_child(child("a")) is None
        assert await scene.sup.start_child(child("b")) is not None
        assert [info.id for info in await scene.sup.which_children()] == ["b", "a"]
        assert await scene.states() == {"b": "running", "a": "undefined"}
        assert await scene.counts() == [2, 1, 0, 2]

    supervise(play)


class Idle(Player, executor=LOCAL):
    """Never needed."""

    def __init__(self, name: str = "") -> None:
        exit_actor()


def test_a_temporary_child_of_the_plan_that_declines_is_forgotten() -> None:
    """sup_start_ignore_temporary_child"""

    async def play(scene: Scene) -> None:
        assert await scene.states() == {"b": "running"}
        assert await scene.counts() == [1, 1, 0, 1]

    supervise(play, Idle.options(id="a", restart="temporary").child(), child("b"))


def test_a_temporary_child_that_is_added_and_declines_is_forgotten() -> None:
    """sup_start_ignore_temporary_child_start_child"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["decline"]
        assert await scene.sup.start_child(child("a", restart="temporary")) is None
        assert await scene.sup.start_child(child("b")) is not None
        assert await scene.counts() == [1, 1, 0, 1]

    supervise(play)


@pytest.mark.parametrize("restart", RESTARTS)
def test_a_dynamic_child_that_declines_is_never_kept(restart: Any) -> None:
    """sup_start_ignore_temporary_child_start_child_simple, ..._permanent_child_start_child_simple"""

    async def play(scene: Scene) -> None:
        Player.moods["d"] = ["decline"]
        assert await scene.sup.start_child() is None
        assert await scene.counts() == [1, 0, 0, 0]
        await scene.top.terminate_child("sup")

    assert not supervise(play, template=Player.options(restart=restart).child("d")).gave_up


def test_a_child_that_raises_at_the_first_start_rolls_all_back_in_reverse() -> None:
    """sup_start_fail: the reason arrives with its exception, and nothing is tried again"""
    attempts: list[str] = []

    class Failing(Actor, executor=LOCAL):
        def __init__(self) -> None:
            attempts.append("once")
            raise KeyError("no such luck")

    async def play() -> None:
        tree = Supervisor(child("a"), Supervisor(child("b"), Failing.options(id="f").child(), id="in"))
        with pytest.raises(
            ActorStartError, match="f did not start: error: __init__ raised KeyError"
        ) as error:
            async with open_runtime(tree):
                raise AssertionError("it opened")
        assert isinstance(error.value.__cause__, KeyError)

    run(play)
    assert attempts == ["once"]


def test_a_start_that_raises_lists_nothing() -> None:
    """sup_start_child_returns_error"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["fail"]
        with pytest.raises(ActorStartError, match="a will not start"):
            await scene.sup.start_child(child("a"))
        assert await scene.sup.which_children() == []

    supervise(play)


def test_a_restart_by_hand_that_raises_leaves_the_child_listed() -> None:
    """sup_start_restart_child_returns_error"""

    async def play(scene: Scene) -> None:
        await scene.sup.terminate_child("a")
        Player.moods["a"] = ["fail"]
        with pytest.raises(ActorStartError, match="a will not start"):
            await scene.sup.restart_child("a")
        assert await scene.states() == {"a": "undefined"}
        Player.moods.clear()
        assert await (await scene.sup.restart_child("a")).ping() == ("a",)

    supervise(play, child("a"))


def test_a_dynamic_start_that_raises_lists_nothing() -> None:
    """sup_start_child_returns_error_simple"""

    async def play(scene: Scene) -> None:
        Player.moods["d"] = ["fail"]
        with pytest.raises(ActorStartError, match="d will not start"):
            await scene.sup.start_child()
        assert await scene.sup.which_children() == []

    supervise(play, template=Player.child("d"))


# -- specs -------------------------------------------------------------------------------------------


def test_a_spec_has_otps_defaults() -> None:
    """sup_start_map"""
    spec, inner = Player.child(), Supervisor(id="in")

    async def play(scene: Scene) -> None:
        assert await scene.sup.get_childspec("player") is spec
        assert await scene.sup.get_childspec("in") is inner
        with pytest.raises(NotFound):
            await scene.sup.get_childspec("nobody")
        assert scene.runtime.house.nodes["sup"].core.children["player"].rules.restart == "permanent"

    supervise(play, spec, inner)
    assert spec.options.shutdown == 5.0
    assert Player.options(shutdown="brutal").child().options.shutdown == "brutal"
    assert (inner.shutdown, inner.restart) == (math.inf, "permanent")


def test_the_spec_of_a_dynamic_child_is_the_template() -> None:
    """sup_start_map_simple"""
    template = Player.child("d")

    async def play(scene: Scene) -> None:
        first = await scene.sup.start_child()
        assert await scene.sup.get_childspec(first) is template
        foreign: Any = await Player.start("else")
        with pytest.raises(NotFound):
            await scene.sup.get_childspec(foreign)

    supervise(play, template=template)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("id", "", "id must be"),
        ("id", "a/b", "id must be"),
        ("restart", "prmanent", "restart must be one of permanent, transient, temporary"),
        ("significant", 1, "significant must be True or False"),
        ("shutdown", -1, "shutdown must be a number of seconds, 0 or more, or 'brutal'"),
        ("shutdown", "brutal_kill", "shutdown must be"),
        ("shutdown", None, "shutdown must be"),
        ("backoff", 1.0, r"backoff must be Backoff\(...\) or None"),
        ("start_timeout", -1, "start_timeout must be"),
        ("max_restarts", -2, "max_restarts must be"),
    ],
)
def test_each_bad_field_of_a_child_is_refused_by_name(field: str, value: Any, text: str) -> None:
    """child_specs, sup_start_map_faulty_specs"""
    with pytest.raises(ValueError, match=text):
        ChildSpec(Player, **{field: value})
    if field in ("id", "restart", "significant", "shutdown", "backoff", "max_restarts"):
        with pytest.raises(ValueError, match=text.partition(" must")[0]):
            Supervisor(**{field: value})


def test_an_unknown_field_is_refused_too() -> None:
    """sup_start_map_faulty_specs: where OTP ignores what it does not know, we do not"""
    with pytest.raises(TypeError, match="there is no option 'modules'"):
        ChildSpec(Player, modules=[])  # type: ignore[call-overload]


@pytest.mark.parametrize("spec", [None, Player, "a", 3])
def test_what_is_no_spec_is_refused(spec: Any) -> None:
    """child_specs"""
    with pytest.raises(TypeError, match="is no child"):
        check_specs(spec)


def test_an_id_twice_is_refused() -> None:
    """child_specs: duplicate_child_name"""
    with pytest.raises(ValueError, match="two children of 'root' have the id 'a'"):
        check_specs(child("a"), child("a"))


SHUTDOWNS: list[Any] = ["brutal", 0, 100.0, math.inf]


def test_every_legal_combination_is_accepted_and_every_other_refused() -> None:
    """child_specs, child_specs_map: restart types, shutdowns, significant, auto_shutdown"""
    autos: list[Any] = ["never", "any_significant", "all_significant"]
    for restart, shutdown, significant, auto in product(
        (None, *RESTARTS), SHUTDOWNS, (None, False, True), autos
    ):
        given = {"restart": restart, "shutdown": shutdown, "significant": significant}
        options = {name: value for name, value in given.items() if value is not None}
        wrong = significant and (auto == "never" or restart in (None, "permanent"))
        for make in (
            lambda **given: Player.options(id="a", **given).child(),
            partial(Supervisor, id="a"),
        ):
            if wrong:
                with pytest.raises(ValueError, match="significant"):
                    check_specs(make(**options), auto_shutdown=auto)
            else:
                check_specs(make(**options), auto_shutdown=auto)


def test_a_bad_spec_is_refused_by_a_running_supervisor_which_goes_on() -> None:
    """child_specs: start_child refuses as check_childspecs does"""

    async def play(scene: Scene) -> None:
        with pytest.raises(
            ValueError, match="'b' is significant, but its supervisor has auto_shutdown='never'"
        ):
            await scene.sup.start_child(child("b", significant=True, restart="transient"))
        with pytest.raises(TypeError, match="is no child"):
            await scene.sup.start_child("b")  # type: ignore[arg-type]
        assert await scene.states() == {"a": "running"}

    supervise(play, child("a"))


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"strategy": "one_for_none"}, "strategy must be one of"),
        ({"strategy": object()}, "strategy must be one of"),
        ({"intensity": -1}, "intensity must be"),
        ({"intensity": math.inf}, "intensity must be"),
        ({"within": 0}, "within must be"),
        ({"within": math.inf}, "within must be"),
        (
            {"auto_shutdown": "sometimes"},
            "auto_shutdown must be one of never, any_significant, all_significant",
        ),
        ({"when_exhausted": "cry"}, "when_exhausted must be"),
        ({"when_exhausted": "throttle", "intensity": 0}, "needs an intensity of 1 or more"),
        ({"max_children": -1}, "max_children must be"),
        ({"max_children": 1}, "max_children is for dynamic supervisors"),
        ({"template": Player}, "template must be"),
        ({"template": Player.child(), "strategy": "one_for_all"}, "restarts one for one"),
        ({"significant": True}, "significant=True needs restart="),
        ({"backoff": 3}, r"backoff must be Backoff\(...\)"),
    ],
)
def test_each_bad_flag_is_refused_by_name(flags: dict[str, Any], text: str) -> None:
    """sup_flags"""
    with pytest.raises(ValueError, match=text):
        Supervisor(**flags)


def test_an_unknown_flag_is_refused_too() -> None:
    """sup_flags: where OTP ignores what it does not know, we do not"""
    with pytest.raises(TypeError, match="period"):
        Supervisor(period=5)  # type: ignore[call-arg]


def test_a_template_and_children_are_one_too_many() -> None:
    """child_specs: simple_one_for_one takes exactly one spec"""
    with pytest.raises(ValueError, match="a dynamic supervisor begins without children"):
        Supervisor(child("a"), template=Player.child())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"min": 0}, "min must be a number of seconds above 0"),
        ({"min": 2.0, "max": 1.0}, "max must be at least min, 2.0, not 1.0"),
        ({"factor": 0.5}, "factor must be a number from 1"),
        ({"jitter": -0.1}, "jitter must be a share"),
        ({"reset_after": -1}, "reset_after must be"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_each_bad_field_of_a_backoff_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Backoff(**fields)


# -- depth -------------------------------------------------------------------------------------------


def nested(levels: int) -> Supervisor:
    tree = Supervisor(child("leaf"), id="s1")
    for level in range(2, levels + 1):
        tree = Supervisor(tree, id=f"s{level}")
    return tree


def test_a_tree_of_a_hundred_levels_starts_works_and_stops() -> None:
    async def play(scene: Scene) -> None:
        path = "/".join(["sup", *(f"s{level}" for level in range(98, 0, -1)), "leaf"])
        leaf: Any = scene.runtime.get_actor(path, Player)
        assert await leaf.ping() == ("leaf",)
        await scene.end(path.removeprefix("sup/"), NORMAL)
        assert await leaf.ping() == ("leaf",)

    supervise(play, nested(98))


def test_a_tree_of_a_thousand_levels_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="nested 200 levels deep: each level costs Python frames"):
        nested(1000)
