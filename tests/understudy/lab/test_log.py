"""The log: a line for each event, with nothing in it that only one machine knows."""

from __future__ import annotations

import json

from tests.cast_lab import troupe
from understudy.actors.events import ActorEnded, ActorReady, FailureUnseen
from understudy.actors.reasons import ERROR, SHUTDOWN_EXIT, ExitReason
from understudy.lab import Crash, Model, Plan, Scenario, simulate, write_log


def test_a_line_says_when_what_who_and_which_incarnation() -> None:
    done = simulate(Scenario(troupe(1), {"*": Model(start=1.0, faults=(Crash(Plan(2.5)),))}, duration=10.0))

    assert done.log.decode().splitlines() == [
        '[0,"ActorStarting","w0",1]',
        '[1000000000,"ActorReady","w0",1]',
        '[2500000000,"FaultStruck","w0",1,{"fault":"crash"}]',
        '[2500000000,"ActorEnded","w0",1,{"reason":"error"}]',
        '[2500000000,"ChildRestarting","w0",1,{"restarts":1}]',
        '[2500000000,"ActorStarting","w0",2]',
        '[3500000000,"ActorReady","w0",2]',
    ]


def test_what_only_one_machine_knows_is_not_said() -> None:
    error = RuntimeError("at 0x7f00, in /home/ada")
    lines = write_log(
        [
            ActorReady(1, "a", 1, pid=4711),
            ActorEnded(2, "a", 1, ExitReason(ERROR, str(error), error, status=1, stderr="/home/ada")),
            ActorEnded(3, "a", 1, SHUTDOWN_EXIT),
            FailureUnseen(4, "a", 1, 7, "add", error),
        ]
    ).splitlines()

    assert [json.loads(line)[4:] for line in lines][:3] == [
        [],
        [{"reason": "error"}],
        [{"reason": "shutdown, ordered"}],
    ]
    assert json.loads(lines[3])[4]["error"] == "RuntimeError"


def test_runs_with_one_digest_are_the_same() -> None:
    scenario = Scenario(troupe(2), {"*": Model(faults=(Crash(Plan(2.5)),))}, duration=10.0)

    assert (
        simulate(scenario).digest == simulate(scenario).digest != simulate(scenario.with_seed(1)).digest[::-1]
    )
