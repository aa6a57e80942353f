"""The pytest plugin: async tests under trio with a runtime of their own, and a look at what each leaves behind.

Loading it costs next to nothing: what it needs is imported by the first test that asks for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from ..supervisors.runtime import Runtime
    from .leaks import Census
    from .stage import Play

MARK = "understudy"
FIXTURES = ("runtime", "virtual_runtime")
MODES = ("ours", "all", "off")
KEEPERS = ("keep", "end")
FORM = "understudy(tree=None, virtual=False, seconds=None, leaks=False)"
SETTINGS = ("tree", "virtual", "seconds", "leaks")

pytest.register_assert_rewrite("understudy.testing.executors")


class Unopened:
    """Stands for the runtime of a test until that test runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attribute: str) -> NoReturn:
        raise RuntimeError(
            f"the fixture {self.name!r} is an open runtime in an async test, and in nothing else: other fixtures and "
            "plain tests cannot use it; write async def test_...(), and start actors there or by "
            "@pytest.mark.understudy(tree=...)"
        )


@pytest.fixture
def runtime() -> Runtime:
    """An open runtime for an async test, which runs under trio; closed when the test ends."""
    unopened: Any = Unopened("runtime")
    return unopened  # type: ignore[no-any-return]


@pytest.fixture
def virtual_runtime() -> Runtime:
    """As `runtime`, in virtual time: the clock jumps to what is due next when nothing else is left to do."""
    unopened: Any = Unopened("virtual_runtime")
    return unopened  # type: ignore[no-any-return]


# -- what pytest asks --------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "which tests are checked for leaks: those with our fixtures or marker (ours), all, or none (off)"
    parser.addini("understudy_leaks", text, default="ours")
    text = (
        "keep: what starts guests is kept from one test to the next, and need not load its code again; or end"
    )
    parser.addini("understudy_keepers", text, default="end")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{FORM}: run this test under trio, and check what it leaves behind")
    if config.getini("understudy_leaks") not in MODES:
        raise pytest.UsageError(f"understudy_leaks must be one of {', '.join(MODES)}")
    if config.getini("understudy_keepers") not in KEEPERS:
        raise pytest.UsageError(f"understudy_keepers must be one of {', '.join(KEEPERS)}")
    if config.getini("understudy_keepers") == "keep":
        from ..transports.places.greenroom import GREEN_ROOM

        stack = ExitStack()
        stack.enter_context(GREEN_ROOM.kept_open())
        config.add_cleanup(stack.close)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that is ours."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or not is_ours(pyfuncitem):
        return None
    from .stage import play

    taken = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in taken}
    play(pyfuncitem.obj, arguments, fixture_of(pyfuncitem), play_of(pyfuncitem))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that leaves something behind."""
    if not is_checked(item):
        return (yield)
    from .leaks import leaked, take_census

    before: Census = take_census()
    outcome = yield
    left = leaked(before)
    if left:
        pytest.fail("the test left behind:\n" + "\n".join(f"  {each}" for each in left), pytrace=False)
    return outcome


# -- what a test says --------------------------------------------------------------------------------


def is_ours(item: pytest.Item) -> bool:
    """Has it our marker or one of our fixtures?"""
    return item.get_closest_marker(MARK) is not None or fixture_of(item) is not None


def fixture_of(item: pytest.Item) -> str | None:
    """Under which name the test wants its runtime."""
    ours = [name for name in FIXTURES if is_fixture_of_ours(item, name)]
    if len(ours) > 1:
        raise pytest.UsageError(f"{item.nodeid} wants both {' and '.join(ours)}; it can have one")
    return ours[0] if ours else None


def is_fixture_of_ours(item: pytest.Item, name: str) -> bool:
    """Does the test use this fixture, and has nobody put another in its place?"""
    if name not in getattr(item, "fixturenames", ()):
        return False
    info: Any = getattr(item, "_fixtureinfo", None)
    found: Any = info.name2fixturedefs.get(name) if info is not None else None
    return bool(found and found[-1].func.__module__ == __name__)


def is_checked(item: pytest.Item) -> bool:
    mode = item.config.getini("understudy_leaks")
    if mode == "off" or (mode == "ours" and not is_ours(item)):
        return False
    return not play_settings(item).get("leaks", False)


def play_of(item: pytest.Item) -> Play:
    from .stage import Play

    settings = play_settings(item)
    if fixture_of(item) == "virtual_runtime":
        settings["virtual"] = True
    return Play(**settings)


def play_settings(item: pytest.Item) -> dict[str, Any]:
    """What its markers say, the nearest first; raises UsageError for what they cannot say."""
    settings: dict[str, Any] = {}
    for mark in item.iter_markers(MARK):
        strange = [*map(repr, mark.args), *(name for name in mark.kwargs if name not in SETTINGS)]
        if strange:
            raise pytest.UsageError(f"{item.nodeid}: {FORM} does not take {', '.join(strange)}")
        settings = {**mark.kwargs, **settings}
    return settings
