"""The tree as text."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.cast import Player
from tests.cast_family import FORK, Family
from tests.rehearsal import LOCAL, QUIET, keeper_of, rehearse, until
from understudy import Pool, Runtime, Supervisor, blocking, kill, statistics
from understudy.transports.system.means import has


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
        keepers = {keeper.zygote.trusted: keeper.pid for keeper in runtime.house.stage.keepers}
        if has("zygote"):
            assert f"zygote  trusted, process {keepers[True]}; starts and reaps guests" in tree
            assert f"zygote  untrusted, process {keepers[False]}; starts and reaps guests" in tree
        else:
            assert f"keeper  process {keepers[True]}; starts and reaps guests" in tree

    rehearse(scene)


def children() -> dict[int, list[int]]:
    """The system's list of who is whose child, read here in another way."""
    found: dict[int, list[int]] = {}
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        pid, parent = map(int, line.split())
        found.setdefault(parent, []).append(pid)
    return found


def ours(keeper: int) -> set[int]:
    """The keeper and all that is below it."""
    table, found, rest = children(), set(), [keeper]
    while rest:
        pid = rest.pop()
        found.add(pid)
        rest += table.get(pid, [])
    return found


def told(tree: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"(?:^ *|, |  )process (\d+)", tree, re.MULTILINE)]


def spares(runtime: Runtime) -> int:
    return sum(status.kind == "spare" for status in runtime.processes())


linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads the list with ps as Linux has it"
)


@linux
@pytest.mark.slow
@pytest.mark.cold
def test_the_whole_tree_is_the_systems_list_of_our_processes() -> None:
    plan = Supervisor(
        Family.options(id="a").child(), Pool(Family.options(id="pool").child(), size=2),
        Player.options(executor=LOCAL, id="here").child(),
    )  # fmt: skip

    async def scene(runtime: Runtime) -> None:
        keeper = keeper_of(runtime).pid
        family: Any = runtime.get_actor("a")
        extra = await Family.options(id="extra").start()
        child = await family.have()
        fork = await extra.have(FORK)
        await until(lambda: children().get(fork))
        await until(lambda: spares(runtime) == has("zygote"))  # forked ahead, behind the third launch

        tree = runtime.tree(all=True)
        assert sorted(told(tree)) == sorted(ours(keeper))
        assert len(told(tree)) == 8 + has("zygote")
        lines = tree.splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith("  a  Family"))
        assert lines[at + 1].startswith(f"    process {child}  {sys.executable}")
        at = next(n for n, line in enumerate(lines) if line.startswith("  extra  Family"))
        assert lines[at + 1].startswith(f"    process {fork}  ")
        assert lines[at + 2].startswith("      process ")
        assert f"process {child}" not in runtime.tree()

        await kill(extra)
        await until(lambda: len(ours(keeper)) == 5 + spares(runtime))
        assert sorted(told(runtime.tree(all=True))) == sorted(ours(keeper))

    rehearse(scene, plan)


@linux
def test_the_command_of_a_process_cannot_move_the_cursor() -> None:
    async def scene(runtime: Runtime) -> None:
        family = await Family.start()
        await family.have_named("evil\x1b[2J\nprocess 1  \r" + "x" * 500)
        tree = runtime.tree(all=True)
        assert "evil?[2J?process 1" in tree
        assert "\x1b" not in tree
        assert max(map(len, tree.splitlines())) < 120

    rehearse(scene)


def test_without_processes_there_is_nothing_more_to_tell() -> None:
    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=LOCAL).start()
        assert runtime.tree(all=True) == runtime.tree()

    rehearse(scene)


def test_plain_code_sees_the_whole_tree_too() -> None:
    with blocking.open_runtime() as runtime:
        family = Family.remote()
        child = blocking.call(family.have)
        assert f"process {child}  " in runtime.tree(all=True)
