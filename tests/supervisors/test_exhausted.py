"""Beyond OTP, live: backoff, throttle, park, strategies of one's own, and strategies that fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, Deaf, Player, Scene, child, deaf, settled, supervise
from understudy import ActorDiedError, Backoff, Decision, Supervisor, TreeFailedError, get_actor, open_runtime
from understudy.supervisors.events import ChildDelayed, ChildParked, SupervisorGaveUp
from understudy.supervisors.strategies.escalating import Escalating
from understudy.supervisors.strategies.rejuvenating import Rejuvenating
from understudy.supervisors.strategies.strategy import StrategyError


def delays(scene: Scene) -> list[tuple[float, str]]:
    """Seconds of each pause, and why."""
    found = [event for event in scene.heard if isinstance(event, ChildDelayed)]
    return [(round((event.until - event.at) / 1e9, 6), event.why) for event in found]


# -- backoff -----------------------------------------------------------------------------------------


def test_a_child_with_a_backoff_comes_back_after_it_and_callers_wait() -> None:
    async def play(scene: Scene) -> None:
        began = trio.current_time()
        scene.actor("a").crash.cast()
        assert await scene.actor("a").ping() == ("a",)
        assert trio.current_time() - began == pytest.approx(2.0)
        await scene.end("a", ABNORMAL)
        assert "a  Player, delayed, incarnation 2" in scene.runtime.tree()
        await trio.sleep(4.001)
        assert scene.incarnation("a") == 3

    scene = supervise(play, child("a", backoff=Backoff(min=2.0, max=60.0)))
    assert delays(scene) == [(2.0, "backoff"), (4.0, "backoff")]


def test_an_actor_of_the_runtimes_own_may_have_a_backoff_too() -> None:
    async def play(scene: Scene) -> None:
        began = trio.current_time()
        actor: Any = await Player.options(backoff=Backoff(min=3.0)).start("x")
        actor.crash.cast()
        assert await actor.ping() == ("x",)
        assert trio.current_time() - began == pytest.approx(3.0)

    supervise(play)


# -- throttle ----------------------------------------------------------------------------------------


def test_a_supervisor_that_throttles_waits_until_the_window_allows() -> None:
    async def play(scene: Scene) -> None:
        for _ in range(3):
            await scene.end("a", ABNORMAL)
        assert await scene.states() == {"b": "running", "a": "restarting"}
        assert "throttle" in scene.runtime.tree()
        began = trio.current_time()
        assert await scene.actor("a").ping() == ("a",)
        assert trio.current_time() - began == pytest.approx(10.0)
        assert not scene.gave_up

    scene = supervise(play, child("a"), child("b"), intensity=2, within=10.0, when_exhausted="throttle")
    assert delays(scene) == [(10.0, "intensity")]


# -- park --------------------------------------------------------------------------------------------


def test_a_parked_child_stays_down_says_so_and_awaits_a_person() -> None:
    async def play(scene: Scene) -> None:
        for _ in range(2):
            await scene.end("a", ABNORMAL)
        await trio.sleep(900)
        assert await scene.states() == {"b": "running", "a": "parked"}
        assert await scene.counts() == [2, 1, 0, 2]
        assert "a  Player, parked" in scene.runtime.tree()
        with pytest.raises(ActorDiedError) as error:
            await scene.actor("a").ping()
        assert error.value.safe_to_retry
        assert scene.names(ChildParked) == ["a"]
        assert await (await scene.sup.restart_child("a")).ping() == ("a",)
        await scene.end("a", ABNORMAL)
        assert await scene.states() == {"b": "running", "a": "running"}

    assert not supervise(play, child("a"), child("b"), intensity=1, when_exhausted="park").gave_up


def test_a_parked_group_comes_back_as_one() -> None:
    async def play(scene: Scene) -> None:
        await scene.end("b", ABNORMAL)
        assert await scene.states() == {"c": "undefined", "b": "parked", "a": "running"}
        await scene.sup.restart_child("b")
        await settled()
        assert scene.started == ["b", "c"]

    supervise(
        play, child("a"), child("b"), child("c"), strategy="rest_for_one", intensity=0, when_exhausted="park"
    )


def test_a_parked_child_whose_restart_by_hand_fails_stays_down() -> None:
    async def play(scene: Scene) -> None:
        await scene.end("a", ABNORMAL)
        Player.moods["a"] = ["fail"]
        with pytest.raises(Exception, match="a will not start"):
            await scene.sup.restart_child("a")
        assert await scene.states() == {"a": "undefined"}
        await scene.sup.delete_child("a")
        assert await scene.states() == {}

    supervise(play, child("a"), intensity=0, when_exhausted="park")


def test_a_subtree_may_be_parked_too() -> None:
    async def play(scene: Scene) -> None:
        await scene.end("in/x", ABNORMAL)
        assert await scene.states() == {"in": "parked"}
        assert "in  one_for_one, 0 in 5 s, parked" in scene.runtime.tree()
        await scene.sup.restart_child("in")
        assert await get_actor("sup/in/x", Player).ping() == ("x",)

    supervise(play, Supervisor(child("x"), id="in", intensity=0), intensity=0, when_exhausted="park")


# -- strategies --------------------------------------------------------------------------------------


def test_an_escalating_supervisor_widens_what_it_restarts_and_then_gives_up() -> None:
    async def play(scene: Scene) -> None:
        seen: list[list[int]] = []
        for _ in range(3):
            await scene.end("b", ABNORMAL)
            seen.append([scene.incarnation(name) for name in "abc"])
        assert seen == [[1, 2, 1], [1, 3, 2], [2, 4, 3]]
        await scene.end("b", ABNORMAL)
        assert scene.is_over

    scene = supervise(
        play, child("a"), child("b"), child("c"), strategy=Escalating(within=60.0), intensity=10, within=60.0
    )
    assert scene.gave_up


def test_a_child_is_rejuvenated_at_its_age() -> None:
    async def play(scene: Scene) -> None:
        await trio.sleep(25)
        assert scene.incarnation("a") == 3
        assert scene.reason("a").kind == "shutdown"

    scene = supervise(play, child("a"), strategy=Rejuvenating(max_age=10.0, quiet=False), intensity=0)
    assert not scene.gave_up


def test_a_child_is_rejuvenated_when_it_is_quiet() -> None:
    async def play(scene: Scene) -> None:
        busy: Any = get_actor("sup/a", Deaf)
        ref = busy.work.remote()
        await trio.sleep(30)
        assert scene.incarnation("a") == 1
        assert scene.incarnation("b") == 3
        from understudy import cancel

        cancel(ref)
        await trio.sleep(1.5)
        assert scene.incarnation("a") == 2

    supervise(play, deaf("a", 0.0), child("b"), strategy=Rejuvenating(max_age=10.0, every=1.0), intensity=0)


@dataclass(frozen=True)
class Twins:
    """A strategy of one's own: two live and die together, and not too often."""

    most: int = 2

    def decide(self, event: Any, view: Any, now: int) -> Decision:
        if view.history.of(event.child).within(60.0) > self.most:
            return Decision(give_up=True)
        return Decision(stop=view.others(event.child), start=view.ids)


def test_a_strategy_of_ones_own_decides() -> None:
    async def play(scene: Scene) -> None:
        for n in (2, 3):
            await scene.end("a", ABNORMAL)
            assert [scene.incarnation(name) for name in "ab"] == [n, n]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    assert supervise(play, child("a"), child("b"), strategy=Twins(), intensity=100).gave_up


@dataclass(frozen=True)
class Says:
    what: Any

    def decide(self, event: Any, view: Any, now: int) -> Any:
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (ZeroDivisionError("oh"), r"its strategy failed: decide\(\) raised ZeroDivisionError: oh"),
        (7, r"its strategy failed: decide\(\) must return a Decision, not 7"),
        (Decision(start=("nobody",)), "its strategy failed: start names 'nobody', which is no child here"),
        (Decision(give_up=True), "its strategy gave up, for a: "),
    ],
)
def test_a_strategy_that_fails_ends_its_tree_with_the_cause_and_leaves_nothing_running(
    what: Any, text: str
) -> None:
    left: list[Any] = []

    async def play() -> None:
        async with open_runtime(Supervisor(child("a"), child("b"), strategy=Says(what))) as runtime:
            left.append(runtime.house.registry.paths)
            get_actor("a", Player).crash.cast()
            await trio.sleep_forever()

    async def main() -> None:
        with pytest.raises(TreeFailedError, match=text) as error:
            await play()
        if not isinstance(what, Decision) or not what.give_up:
            assert isinstance(error.value.__cause__, StrategyError)
        if isinstance(what, BaseException):
            assert error.value.__cause__ is not None
            assert error.value.__cause__.__cause__ is what

    Player.moods.clear()
    trio.run(main)
    assert left == [{}]


def test_a_strategy_that_never_gives_up_is_ended_by_the_intensity() -> None:
    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["fail"]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    assert supervise(play, child("a"), strategy=Says(Decision(start=("a",))), intensity=50).gave_up


# -- what OTP says of supervisors as children ----------------------------------------------------------


def test_a_transient_supervisor_that_gave_up_stays_down() -> None:
    """1.4: shutdown is what it ends with, and that is no reason to start it again"""

    async def play(scene: Scene) -> None:
        await scene.end("in/x", ABNORMAL)
        assert await scene.states() == {"in": "undefined"}
        given_up = [event for event in scene.heard if isinstance(event, SupervisorGaveUp)]
        assert [event.actor for event in given_up] == ["sup/in"]
        assert given_up[0].reason.kind == "shutdown"
        assert isinstance(given_up[0].reason.exception, SystemExit)

    supervise(play, Supervisor(child("x"), id="in", intensity=0, restart="transient"))


def test_a_tree_whose_significant_child_has_done_its_work_ends_without_an_error() -> None:
    async def main() -> None:
        tree = Supervisor(
            child("a", restart="transient", significant=True), child("b"), auto_shutdown="any_significant"
        )
        async with open_runtime(tree) as runtime:
            get_actor("a", Player).leave.cast()
            await settled()
            states = {info.id: info.state for info in await runtime.supervisor().which_children()}
            assert states == {"b": "undefined", "a": "undefined"}
            assert await (await Player.start("still here")).ping() == ("still here",)

    Player.moods.clear()
    trio.run(main)


# -- cancelled from outside ----------------------------------------------------------------------------


def test_a_start_that_is_cancelled_while_it_waits_leaves_no_child() -> None:
    class Slow(Deaf):
        async def on_start(self) -> None:
            await trio.sleep(10)

    async def play(scene: Scene) -> None:
        with trio.move_on_after(1):
            await scene.sup.start_child(Slow.options(id="s").child())
        await settled()
        assert await scene.states() == {}
        assert "sup/s" not in scene.runtime.house.registry.paths

    supervise(play)


@pytest.mark.parametrize("call", ["terminate_child", "restart_child"])
def test_what_is_asked_goes_on_if_whoever_asked_is_cancelled(call: str) -> None:
    async def play(scene: Scene) -> None:
        if call == "restart_child":
            await scene.sup.terminate_child("a")
        with trio.CancelScope() as scope:
            scope.cancel()
            await getattr(scene.sup, call)("a")
        await trio.sleep(10)
        assert await scene.states() == {"a": "undefined" if call == "terminate_child" else "running"}

    supervise(play, deaf("a", 1.0))
