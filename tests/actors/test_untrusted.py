"""trusted=False: only data travels, bounded at both ends, and nothing the guest says is unpickled."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal import QUIET, rehearse
from understudy import Actor, ActorError, Bounds, Runtime, TaskError, Unsendable, method, statistics

OBJECTS = ("object", "builtin", "lambda", "wide", "set", "path")
WARY = replace(QUIET, trusted=False, bounds=Bounds(max_bytes=10_000, max_depth=8, max_elements=500))


class Stranger(Actor, executor=WARY):
    def __init__(self, start: Any = None) -> None:
        self.start_value = start

    @method
    def echo(self, value: Any) -> Any:
        return value

    @method
    def both(self, *args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    @method
    def make(self, what: str, size: int = 0) -> Any:
        if what == "object":
            return object()
        if what == "set":
            return {1}
        if what == "bytes":
            return bytes(size)
        if what == "deep":
            value: list[Any] = []
            for _ in range(size):
                value = [value]
            return value
        return list(range(size))

    @method
    def fail(self) -> None:
        raise ValueError("of a stranger")

    @method
    def fail_own(self) -> None:
        class Own(Exception):
            pass

        raise Own("of a stranger")

    @method
    def answer_with_a_pickle(self, path: str, place: str) -> None:
        """Become hostile: answer every call with a pickle that runs a command in whoever loads it."""
        from understudy_guest import protocol, values  # type: ignore[import-not-found]

        class Evil:
            def __reduce__(self) -> Any:
                return os.system, (f"touch {path}",)

        evil = pickle.dumps(Evil())

        def result(self: Any, id: int, value: Any) -> Any:
            if place == "extension":
                return self.encode((protocol.RESULT, id, self.extension(protocol.PICKLED, evil)))
            if place == "bytes":
                return self.encode((protocol.RESULT, id, evil))
            return self.encode((protocol.ERROR, id, ["builtins", "ValueError", "text", "trace", evil]))

        values.Values.result = result


async def refused(call: Any) -> str:
    with pytest.raises((Unsendable, TaskError)) as error:
        await call()
    return str(error.value)


def test_data_travels_both_ways() -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start([1, {"a": None}])
        for value in (1, -1, 2**64 - 1, "text", b"bytes", 1.5, None, True, [1, [2]], {"a": {"b": [3]}}):
            assert await stranger.echo(value) == value
        assert await stranger.both(1, "x", key=[2]) == [[1, "x"], {"key": [2]}]

    rehearse(scene)


@pytest.mark.parametrize("value", [object(), len, lambda: 1, 1 << 70, {1, 2}, Path("/x")], ids=OBJECTS)
def test_an_object_is_refused_before_it_is_sent(value: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start()
        if isinstance(value, set):
            assert sorted(await stranger.echo(value)) == [1, 2]
            return
        assert "only data travels to an actor with trusted=False" in await refused(
            lambda: stranger.echo(value)
        )
        assert await stranger.echo(1) == 1

    rehearse(scene)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (bytes(20_000), "and the limit is 10,000"),
        ([[[[[[[[[[1]]]]]]]]]], "cannot be sent to an untrusted actor"),
        (list(range(1000)), "cannot be sent to an untrusted actor"),
    ],
    ids=["bytes", "depth", "elements"],
)
def test_an_argument_beyond_the_bounds_is_refused(value: Any, text: str) -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start()
        assert text in await refused(lambda: stranger.echo(value))
        assert await stranger.echo(1) == 1

    rehearse(scene)


@pytest.mark.parametrize(("what", "size"), [("object", 0), ("bytes", 20_000), ("deep", 12), ("list", 1000)])
def test_a_result_beyond_data_or_bounds_fails_its_call_alone(what: str, size: int) -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start()
        assert "cannot travel" in await refused(lambda: stranger.make(what, size))
        assert await stranger.echo(1) == 1
        assert statistics(stranger).incarnation == 1

    rehearse(scene)


def test_an_exception_of_pythons_own_is_rebuilt_from_its_name() -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start()
        with pytest.raises(ValueError, match="of a stranger") as error:
            await stranger.fail()
        assert isinstance(error.value, TaskError)

    rehearse(scene)


def test_any_other_exception_is_described_only() -> None:
    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.start()
        with pytest.raises(TaskError, match="of a stranger") as error:
            await stranger.fail_own()
        assert type(error.value) is TaskError
        assert error.value.cause is None

    rehearse(scene)


def test_start_arguments_are_data_too() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(Exception, match="only data travels"):
            await Stranger.start(object())

    rehearse(scene)


@pytest.mark.parametrize("place", ["extension", "bytes", "error"])
def test_a_pickle_from_a_stranger_is_never_loaded(place: str, tmp_path: Path) -> None:
    path = tmp_path / "owned"

    async def scene(runtime: Runtime) -> None:
        stranger = await Stranger.options(executor=WARY, max_restarts=-1).start()
        ended: Any = None
        for call in (lambda: stranger.answer_with_a_pickle(str(path), place), lambda: stranger.echo(1)):
            try:
                ended = await call()
            except (ActorError, TaskError) as error:
                ended = error
        assert ended is not None

    rehearse(scene)
    assert not path.exists()


def test_the_attack_itself_works_where_it_is_believed(tmp_path: Path) -> None:
    path = tmp_path / "owned"

    async def scene(runtime: Runtime) -> None:
        trusting = Stranger.options(executor=QUIET)
        stranger = await trusting.start()
        await stranger.answer_with_a_pickle(str(path), "extension")
        assert await stranger.echo(1) == 0

    if sys.platform.startswith("linux"):
        rehearse(scene)
        assert path.exists()
