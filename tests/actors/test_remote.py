"""`@remote`: plain classes as actors, Ray's way."""

from typing import Any

import pytest

from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import Local, Process, Runtime, remote


@remote
class Greeter:
    """Says hello."""

    def __init__(self, word: str = "hello") -> None:
        self.word = word

    def greet(self, name: str) -> str:
        return f"{self.word} {name}"

    def _private(self) -> None: ...

    @staticmethod
    def shout(text: str) -> str:
        return text.upper()


@remote(executor=Local(), max_pending_calls=5)
class Optioned:
    def ping(self) -> str:
        return "pong"


# Checkers ignore what a class decorator returns.
Greeting: Any = Greeter
Opted: Any = Optioned


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_plain_class_is_called_through_a_handle(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        greeter = Greeting.options(executor=executor).remote("good day")

        assert await greeter.greet("you") == "good day you"
        assert await greeter.greet.remote("all") == "good day all"

    rehearse(scene)


def test_the_class_itself_is_returned() -> None:
    assert Greeter("hi").greet("you") == "hi you"
    assert Greeter.__doc__ == "Says hello."
    assert Greeter.shout("a") == "A"


def test_options_may_stand_in_the_decorator() -> None:
    async def scene(runtime: Runtime) -> None:
        spec = Opted.child()

        assert spec.options.executor == Local()
        assert spec.options.max_pending_calls == 5
        assert await (await Opted.start()).ping() == "pong"

    rehearse(scene)


def test_private_and_static_methods_are_not_offered() -> None:
    async def scene(runtime: Runtime) -> None:
        greeter = await Greeting.options(executor=LOCAL).start()
        assert dir(greeter) == ["call", "greet"]
        for name in ("_private", "shout"):
            with pytest.raises(AttributeError, match=name):
                getattr(greeter, name)

    rehearse(scene)


def test_wrong_arguments_are_refused_at_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        greeter = await Greeting.options(executor=LOCAL).start()
        with pytest.raises(TypeError, match="greet"):
            greeter.greet()

    rehearse(scene)


@pytest.mark.parametrize("thing", [7, "class"])
def test_only_classes_and_functions_can_be_made_remote(thing: Any) -> None:
    with pytest.raises(TypeError, match="@remote makes actor classes of classes"):
        remote(thing)


def test_a_subclass_may_be_decorated_again() -> None:
    @remote(executor=Local())
    class Politer(Greeter):
        def part(self) -> str:
            return "good-bye"

    async def scene(runtime: Runtime) -> None:
        decorated: Any = Politer
        politer = decorated.remote()
        assert dir(politer) == ["call", "greet", "part"]
        assert await politer.part() == "good-bye"

    rehearse(scene)


def test_without_options_it_runs_in_a_process() -> None:
    assert isinstance(Greeting.child().options.executor, Process)
