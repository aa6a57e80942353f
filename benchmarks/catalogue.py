"""Every case there is, and the goals that are promised."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks import (
    channels,
    doors,
    functions,
    launching,
    lists,
    ours,
    raw,
    simulation,
    supervision,
    whole,
    worker,
)
from benchmarks.case import Case
from benchmarks.goal import Goal
from benchmarks.peers import (
    anyio_process,
    execnet_gateway,
    expressions,
    launches,
    otp_restart,
    pipe,
    process_pool,
    ray_actor,
    trio_step,
)

CASES: tuple[Case, ...] = (
    *raw.CASES,
    *lists.CASES,
    *ours.CASES,
    *whole.CASES,
    *doors.CASES,
    *functions.CASES,
    *channels.CASES,
    *simulation.CASES,
    *supervision.CASES,
    *launching.CASES,
    *worker.CASES,
    *launches.CASES,
    *trio_step.CASES,
    *anyio_process.CASES,
    *process_pool.CASES,
    *expressions.CASES,
    *pipe.CASES,
    *execnet_gateway.CASES,
    *ray_actor.CASES,
    *otp_restart.CASES,
)

CALL = "process call"
CALL_100 = "process call 100"
FUNCTIONS = "remote functions"
LAUNCH = "launch, first reply"
FIRST_REPLIES = {
    "execnet": 1.0,
    "anyio.to_process": 1.0,
    "ProcessPoolExecutor": 0.1,
    "multiprocessing spawn": 0.1,
    "Ray actor": 0.1,
}

GOALS = (
    *(
        Goal(
            what=f"{way} / multiprocessing.Queue",
            ours=way,
            reference="multiprocessing.Queue",
            figure="rate",
            at_least=10,
        )
        for way in ("channel to an actor", "channel from an actor", "channel between actors")
    ),
    *worker.GOALS,
    Goal(
        what="one caller / raw, one core, wall",
        ours="process call, one core",
        reference="raw sequential, one core",
        figure="wall",
        at_most=2.6,
    ),
    Goal(
        what="one caller / raw, one core, CPU",
        ours="process call, one core",
        reference="raw sequential, one core",
        figure="cpu",
        at_most=2.0,
    ),
    Goal(
        what="one caller, both spin / multiprocessing.Pipe",
        ours="process call, spinning",
        reference="multiprocessing.Pipe",
        figure="wall",
        at_most=1.0,
    ),
    Goal(
        what="100 callers / raw",
        ours=CALL_100,
        reference="raw 100",
        figure="rate",
        at_least=0.45,
    ),
    Goal(
        what="100 callers / anyio.to_process",
        ours=CALL_100,
        reference="anyio.to_process 100",
        figure="rate",
        at_least=20,
    ),
    Goal(
        what="100 callers / ProcessPoolExecutor",
        ours=CALL_100,
        reference="ProcessPoolExecutor 100",
        figure="rate",
        at_least=20,
    ),
    Goal(
        what="100 callers / execnet, a thread each",
        ours=CALL_100,
        reference="execnet 100 threads",
        figure="rate",
        at_least=4,
    ),
    Goal(
        what="from asyncio, one caller, over trio, one core",
        ours="asyncio call, one core",
        reference="process call, one core",
        figure="wall",
        beyond=True,
        at_most=60e-6,
    ),
    Goal(
        what="from asyncio, 100 callers / trio",
        ours="asyncio call 100",
        reference=CALL_100,
        figure="rate",
        at_least=0.5,
    ),
    Goal(
        what="from asyncio, 100 callers / ProcessPoolExecutor",
        ours="asyncio call 100",
        reference="ProcessPoolExecutor 100",
        figure="rate",
        at_least=10,
    ),
    Goal(
        what="blocking get from a thread, over trio, one core",
        ours="blocking get, one core",
        reference="process call, one core",
        figure="wall",
        beyond=True,
        at_most=80e-6,
    ),
    Goal(what="one caller / Ray", ours=CALL, reference="Ray sequential", figure="rate", at_least=10),
    Goal(what="100 callers / Ray", ours=CALL_100, reference="Ray 100", figure="rate", at_least=80),
    Goal(
        what="local call, 100 callers / trio step, CPU",
        ours="local call 100",
        reference="trio schedule step",
        figure="cpu",
        at_most=2,
    ),
    Goal(
        what="local cast / trio step, CPU",
        ours="local cast",
        reference="trio schedule step",
        figure="cpu",
        at_most=0.3,
    ),
    Goal(
        what="10,000 functions / ProcessPoolExecutor",
        ours=FUNCTIONS,
        reference="ProcessPoolExecutor functions",
        figure="rate",
        at_least=5,
    ),
    Goal(
        what="10,000 functions by an Executor / ProcessPoolExecutor",
        ours="executor functions",
        reference="ProcessPoolExecutor functions",
        figure="rate",
        at_least=2,
    ),
    Goal(
        what="10,000 functions / Ray", ours=FUNCTIONS, reference="Ray functions", figure="rate", at_least=20
    ),
    Goal(what="map / raw lists", ours="map", reference="raw lists", figure="rate", at_least=0.7),
    Goal(what="stream / raw lists", ours="stream", reference="raw lists", figure="rate", at_least=0.4),
    Goal(
        what="async method / sync, one core, wall",
        ours="async method, one core",
        reference="process call, one core",
        figure="wall",
        at_most=2,
    ),
    Goal(what="async method / sync", ours="async method", reference=CALL, figure="wall", at_most=2),
    Goal(
        what="thread call / trio.to_thread",
        ours="thread call",
        reference="trio.to_thread",
        figure="rate",
        at_least=2,
    ),
    Goal(what="idle local actor, memory", ours="idle actor", figure="memory", at_most=3000),
    Goal(what="local crash to ready again, CPU", ours="local crash", figure="cpu", at_most=40e-6),
    Goal(what="simulated events, a second", ours="simulated events", figure="rate", at_least=100_000),
    Goal(
        what="a simulated year of ten actors, hourly faults", ours="simulated year", figure="wall", at_most=30
    ),
    Goal(what="interrupt of a tight loop, median", ours="interrupt", figure="p50", at_most=0.5e-3),
    Goal(what="interrupt of a tight loop, p99", ours="interrupt", figure="p99", at_most=10e-3),
    Goal(
        what="local restart / OTP, median",
        ours="local restart",
        reference="OTP restart",
        figure="p50",
        at_most=1.5,
    ),
    Goal(what="SIGKILL noticed, median", ours="SIGKILL noticed", figure="p50", at_most=1e-3),
    Goal(
        what="launch to first reply, preloaded / os.fork",
        ours="launch, preloaded",
        reference="os.fork, first byte",
        figure="p50",
        at_most=2.5,
    ),
    *(
        Goal(
            what=f"launch to first reply / {peer}",
            ours=LAUNCH,
            reference=f"{peer}, first reply",
            figure="p50",
            at_most=at_most,
        )
        for peer, at_most in FIRST_REPLIES.items()
    ),
    Goal(
        what="100 workers, launched to first replies",
        ours="100 launches, preloaded",
        figure="p50",
        at_most=0.150,
    ),
    Goal(what="memory of each of 100 (PSS)", ours="100 launches, preloaded", figure="memory", at_most=1e6),
    Goal(what="stop of 100 idle workers", ours="stop of 100 idle", figure="p50", at_most=0.200),
    Goal(
        what="SIGKILL to the next reply / detection",
        ours="SIGKILL to the next reply",
        reference="SIGKILL to pidfd",
        figure="p50",
        at_most=5,
    ),
    Goal(
        what="SIGKILL to a standby's reply / detection",
        ours="SIGKILL to a standby's reply",
        reference="SIGKILL to pidfd",
        figure="p50",
        at_most=1.5,
    ),
    Goal(
        what="cold launch to hello / python -c pass",
        ours="cold launch, hello",
        reference="python -c pass",
        figure="p50",
        at_most=1.6,
    ),
)


def select(pattern: str) -> tuple[Case, ...]:
    """The cases whose name holds `pattern`, and those that a goal so named compares."""
    named = {case.name for case in CASES if holds(case.name, pattern)}
    named.update(name for goal in GOALS if holds(goal.what, pattern) for name in goal.cases)
    return tuple(case for case in CASES if case.name in named)


def goals_of(cases: Iterable[Case]) -> tuple[Goal, ...]:
    """The goals that these cases suffice to judge."""
    names = {case.name for case in cases}
    return tuple(goal for goal in GOALS if names.issuperset(goal.cases))


def holds(text: str, pattern: str) -> bool:
    """Whether a text holds a pattern, in any case."""
    return pattern.casefold() in text.casefold()
