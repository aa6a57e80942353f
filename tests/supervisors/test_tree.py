"""The tree as text."""

from __future__ import annotations

from dataclasses import replace

from tests.cast import Player
from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import Runtime, Supervisor, kill, statistics


def test_the_tree_shows_who_supervises_whom() -> None:
    plan = Supervisor(
        Player.options(executor=LOCAL, id="a").child(),
        Supervisor(Player.options(executor=LOCAL, id="b").child(), id="inner", intensity=1, within=0.5),
        intensity=7,
        within=9.0,
    )

    async def scene(runtime: Runtime) -> None:
        extra = await Player.options(executor=LOCAL, id="extra").start()

        assert runtime.tree().splitlines() == [
            "tree  one_for_one, 7 in 9 s",
            "  a  Player, ready, incarnation 1",
            "  inner  one_for_one, 1 in 0.5 s",
            "    b  Player, ready, incarnation 1",
            "dynamic  dynamic, 3 in 5 s",
            "  extra  Player, ready, incarnation 1",
        ]
        await kill(extra)
        assert "extra" not in runtime.tree()

    rehearse(scene, plan)


def test_the_tree_shows_processes_and_trust() -> None:
    async def scene(runtime: Runtime) -> None:
        trusted = await Player.options(executor=QUIET, id="t").start()
        await Player.options(executor=replace(QUIET, trusted=False), id="u").start()
        tree = runtime.tree()

        assert (
            f"t  Player, ready, incarnation 1, trusted, no sandbox, process {statistics(trusted).pid}" in tree
        )
        assert "u  Player, ready, incarnation 1, untrusted, no sandbox, process " in tree
        assert f"keeper  process {runtime.house.stage.keeper.pid}; starts and reaps the guests" in tree

    rehearse(scene)
