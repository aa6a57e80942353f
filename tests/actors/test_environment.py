"""Which of the host's variables a guest gets, by every way of looking; and which packages it can import."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.cast_surroundings import Looking
from tests.rehearsal import rehearse
from understudy import Environment, Process, Runtime
from understudy.actors.environment import environment_of

PYTHONS_OWN = {"LC_CTYPE"}  # which it may set as it starts
SECRET = "UNDERSTUDY_TEST_SECRET"
LAUNCHES: tuple[Literal["zygote", "spawn"], ...] = ("zygote", "spawn")


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "hunter2")
    monkeypatch.setenv("SHOWN", "yes")


@pytest.mark.parametrize(
    ("policy", "given"),
    [
        ("clean", {}),
        ("inherit", {"A": "1", "B": "2"}),
        ({"C": "3"}, {"C": "3"}),
        (Environment(), {}),
        (Environment(allow={"A", "MISSING"}), {"A": "1"}),
        (Environment(allow=["A"], add={"A": "other", "C": "3"}), {"A": "other", "C": "3"}),
        (Environment(inherit=True, add={"B": "5"}), {"A": "1", "B": "5"}),
    ],
    ids=str,
)
def test_a_policy_says_which_of_the_hosts_variables_are_given(policy: Any, given: dict[str, str]) -> None:
    assert environment_of(policy).of({"A": "1", "B": "2"}) == given


@pytest.mark.parametrize("allow", ["PATH", {""}, {"A=B"}, {"A\0"}, {1}, None], ids=repr)
def test_names_that_cannot_be_are_refused(allow: Any) -> None:
    with pytest.raises(ValueError, match="allow must be a set of names of variables"):
        Environment(allow=allow)


@pytest.mark.parametrize("policy", ["dirty", None, {"A": 1}, {"A": "\0"}], ids=repr)
def test_a_policy_that_there_is_not_is_refused(policy: Any) -> None:
    with pytest.raises(ValueError, match="environ must be 'clean', 'inherit', Environment"):
        Process(environ=policy)


def test_what_may_be_looked_up_cannot_be_changed_afterwards() -> None:
    names = {"A"}
    environment = Environment(allow=names)
    names.add("B")

    assert environment.allow == {"A"}


async def seen(
    process: Process, name: str = "SHOWN"
) -> tuple[dict[str, str], str | None, dict[str, str], str]:
    looking = Looking.options(executor=process).remote()
    return (
        await looking.environ(),
        await looking.in_c(name),
        await looking.inherited(),
        await looking.in_proc(),
    )


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_clean_guest_has_nothing_of_its_host_in_any_place(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        environ, in_c, inherited, in_proc = await seen(Process(launch=launch), SECRET)
        assert set(environ) <= PYTHONS_OWN
        assert in_c is None
        assert set(inherited) <= PYTHONS_OWN
        assert "hunter2" not in in_proc
        assert not any(name in in_proc for name in ("SHOWN", "HOME", "PATH"))

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_what_is_allowed_is_seen_in_every_place_and_nothing_else_is(launch: Any) -> None:
    process = Process(launch=launch, environ=Environment(allow={"SHOWN"}, add={"ROLE": "ghost"}))

    async def scene(runtime: Runtime) -> None:
        environ, in_c, inherited, in_proc = await seen(process)
        wanted = {"SHOWN": "yes", "ROLE": "ghost"}
        assert {name: environ[name] for name in set(environ) - PYTHONS_OWN} == wanted
        assert in_c == "yes"
        assert {name: inherited[name] for name in set(inherited) - PYTHONS_OWN} == wanted
        assert "hunter2" not in in_proc

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_one_that_inherits_has_all_of_it(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        environ, in_c, inherited, _ = await seen(Process(launch=launch, environ="inherit"), SECRET)
        assert dict(os.environ).items() <= environ.items()
        assert in_c == "hunter2"
        assert dict(os.environ).items() <= inherited.items()

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_variables_are_taken_when_the_guest_starts(launch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(launch=launch, environ=Environment(allow={"SHOWN"}))

    async def scene(runtime: Runtime) -> None:
        assert await Looking.options(executor=process).remote().in_c("SHOWN") == "yes"
        monkeypatch.setenv("SHOWN", "later")
        assert await Looking.options(executor=process).remote().in_c("SHOWN") == "later"

    rehearse(scene)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="nobody tells another's environment here")
def test_what_starts_guests_has_nothing_of_their_host_either() -> None:
    async def scene(runtime: Runtime) -> None:
        for launch in LAUNCHES:
            await Looking.options(executor=Process(launch=launch, environ="inherit")).remote().environ()
        for keeper in runtime.house.stage.keepers:
            assert b"hunter2" not in Path(f"/proc/{keeper.pid}/environ").read_bytes()  # noqa: ASYNC240
            assert b"PATH=" not in Path(f"/proc/{keeper.pid}/environ").read_bytes()  # noqa: ASYNC240

    rehearse(scene)


# -- packages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_guest_without_packages_can_import_none_of_the_hosts(launch: Any) -> None:
    process = Process(launch=launch, packages="none")

    async def scene(runtime: Runtime) -> None:
        looking = Looking.options(executor=process).remote()
        for name in ("trio", "pytest", "tests", "_pytest"):
            assert not await looking.can_import(name), name
            assert not await looking.knows(name), name
        assert await looking.can_import("json")
        given = await looking.path()
        assert not [entry for entry in given if "site-packages" in entry or entry in ("", os.getcwd())]

    rehearse(scene)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_guest_with_the_hosts_packages_can_import_them(launch: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        looking = Looking.options(executor=Process(launch=launch, packages="host")).remote()
        assert await looking.can_import("trio")
        assert set(sys.path) - {""} <= set(await looking.path())

    rehearse(scene)
