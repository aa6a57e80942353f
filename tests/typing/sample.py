"""What a checker must see in a user's code: lines marked `# error` are errors, all others are not.

A mark that names a checker (`# error: mypy`) is for lines where the other one is silent.
"""

# pyright: strict
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, assert_type

import trio

from understudy import (
    Actor,
    ActorHandle,
    ActorPool,
    AsyncWorker,
    ChildSpec,
    Down,
    Executor,
    Handle,
    Local,
    ObjectRef,
    Pool,
    Process,
    Queue,
    ReceiveChannel,
    Runtime,
    Scope,
    Stream,
    Supervisor,
    Thread,
    Worker,
    aio,
    blocking,
    carry,
    get,
    get_actor,
    interrupt,
    method,
    open_channel,
    open_scope,
    put,
    remote,
    wait,
)
from understudy.actors.mapping import MapStream
from understudy.crossing.runtime import FarRuntime
from understudy.transports.guests.backstage import ActorTimer

V = TypeVar("V")


class Counter(Actor, executor=Process(), call_timeout=2.0):
    """Counts."""

    def __init__(self, start: int = 0, *, step: int = 1) -> None:
        self.value = start
        self.step = step

    @method
    def add(self, n: int = 1) -> int:
        """Add n."""
        self.value += n
        assert_type(self.add(1), int)
        self.add("1")  # error
        return self.value

    @method(max_task_retries=2)
    async def slow(self) -> str:
        return str(self.add(1))

    @method
    def risky(self, a: int, *, c: int) -> float:
        return a / c

    @method
    def two(self, n: int, text: str) -> str:
        return text * n

    def helper(self, n: int) -> str:
        return str(n)


class Louder(Counter):
    @method
    def add(self, n: int = 1, m: int = 2) -> int:
        return super().add(n) * m


class Incompatible(Counter):
    @method
    def add(self, n: str = "") -> int:  # error
        return len(n)


class Forgetful(Counter):
    def add(self, n: int = 1) -> int:  # error: pyright
        return n


class Misspelt(Actor, executr=Local()):  # error
    pass


class Stack(Actor, Generic[V]):
    def __init__(self, *items: V) -> None:
        self.items = list(items)

    @method
    def pop(self) -> V:
        return self.items.pop()


@dataclass
class Point(Actor, executor=Local()):
    x: int
    y: int = 0

    @method
    def sum(self) -> int:
        return self.x + self.y


def starting() -> None:
    assert_type(Counter.remote(10), Handle[Counter])
    assert_type(Counter.remote(10, step=2), Handle[Counter])
    assert_type(Counter.options(name="x", executor=Local()).remote(3), Handle[Counter])
    base: Handle[Counter] = Louder.remote(1)
    base.add.cast(1)
    Point.remote(1, y=2)
    Counter.remote("x")  # error
    Counter.remote(1, step="3")  # error
    Counter.options(name=3)  # error
    Counter.options(name="x").remote("3")  # error
    Point.remote("1")  # error


async def calling(h: Handle[Counter], louder: Handle[Louder], stack: Handle[Stack[str]]) -> None:
    assert_type(await h.add(), int)
    assert_type(await h.add(n=5), int)
    assert_type(await h.slow(), str)
    assert_type(await h.risky(1, c=2), float)
    assert_type(await h.add.options(timeout=1.0)(5), int)
    assert_type(await louder.add(1, 2), int)
    assert_type(await stack.pop(), str)
    h.add("5")  # error
    h.add(n="5")  # error
    h.risky(1, c="x")  # error
    h.add(5)  # error
    h.helper(3)  # error
    h.nope()  # error
    print(h.value)  # error


async def any_method_by_call(h: Handle[Counter]) -> None:
    assert_type(await h.call(Counter.helper, 5), str)
    assert_type(await h.call(Counter.add, 5), int)
    await h.call(Counter.helper, "5")  # error


async def without_waiting(h: Handle[Counter]) -> None:
    ref = h.add.remote(1)
    text = h.slow.remote()
    assert_type(ref, ObjectRef[int])
    assert_type(await ref, int)
    assert_type(await get(ref), int)
    assert_type(await get([ref, ref]), list[int])
    assert_type(await get((ref, text)), tuple[int, str])
    assert_type(await wait([ref]), tuple[list[ObjectRef[int]], list[ObjectRef[int]]])
    h.add.cast(1)
    h.add.remote("1")  # error
    h.add.cast("1")  # error
    print(ref + 1)  # error


async def with_refs(h: Handle[Counter]) -> None:
    ref = put([1, 2])
    assert_type(ref, ObjectRef[list[int]])
    assert_type(await ref, list[int])
    assert_type(ref.as_argument, list[int])
    number = h.add.remote(1)
    await h.add(number.as_argument)
    h.add(ref.as_argument)  # error
    h.add.remote(number)  # error
    refs: list[ObjectRef[int] | ObjectRef[str]] = [number, h.slow.remote()]
    ended, _ = await wait(refs, num_returns=2, timeout=1.0)
    assert_type(ended, list[ObjectRef[int] | ObjectRef[str]])
    assert_type(await ended[0], int | str)
    await wait([1])  # error
    async with open_scope() as scope:
        assert_type(scope, Scope)
        scope.adopt(number)
        scope.adopt(3)  # error
    h.add.options(cancel="wait", retry_exceptions=[ValueError]).remote(1)
    h.add.options(cancel="later")  # error
    Counter.options(name="x", namespace="y", get_if_exists=True, lifetime="detached", cancel="wait")
    Counter.options(lifetime="short")  # error


async def among_tasks(h: Handle[Counter]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(h.add, 5)
        nursery.start_soon(h.add, "x")  # error


async def finding_and_interrupting() -> None:
    assert_type(get_actor("counter", Counter), Handle[Counter])
    assert_type(await get_actor("crunchers/w0", Counter).add(1), int)
    assert_type(await get_actor("counter").anything(1), Any)
    assert_type(get_actor("counter", Counter, namespace="x"), Handle[Counter])
    get_actor("counter", namespace=3)  # error
    await interrupt(get_actor("counter", Counter))
    await interrupt("counter")  # error
    await get_actor("counter", Counter).add("1")  # error


async def starting_and_waiting() -> None:
    h = await Counter.start(10)
    assert_type(h, Handle[Counter])
    assert_type(await (await Counter.options(name="x").start(3)).add(1), int)
    assert_type(isinstance(h, ActorHandle), bool)
    await Counter.start("10")  # error


def describing() -> Supervisor:
    Counter.options(id="c").child(start="3")  # error
    Supervisor(Counter.options(id="c").child(), strategy="one_for_lunch")  # error
    return Supervisor(
        Counter.options(id="c", restart="transient").child(10, step=2),
        Supervisor(Counter.child(), Point.options(id="p").child(1), id="inner"),
        strategy="one_for_one",
        intensity=3,
        within=5.0,
    )


@remote
class Plain:
    def double(self, x: int) -> int:
        return 2 * x


class _Wrapped:
    def double(self, x: int) -> int:
        return 2 * x


Wrapped = remote(_Wrapped)


async def the_names_ray_knows() -> None:
    assert_type(await Wrapped.remote().double(1), Any)
    Plain.remote()  # error: mypy


def as_the_plain_class() -> None:
    assert_type(Counter(3).add(5), int)
    assert_type(Counter(3).helper(5), str)
    Counter(3).add("5")  # error


def pools() -> Supervisor:
    Pool(Counter, size="4")  # error
    Pool(Counter, route="random")  # error
    Pool(3)  # error
    return Supervisor(Pool(Counter, size=4, id="a"), Pool(Counter.child(10), 4, key=hash))


async def calling_a_pool() -> None:
    crew = await Pool(Counter.child(10), size=2).start()
    assert_type(crew, Handle[Counter])
    assert_type(Pool(Counter, size=2).remote(), Handle[Counter])
    assert_type(await crew.add(1), int)
    assert_type(await crew.add.broadcast(1), list[int])
    async with crew.add.map(range(5)) as sums:
        async for n in sums:
            assert_type(n, int)
    async for text in crew.two.starmap([(1, "a")], ordered=False):
        assert_type(text, str)
    async for either in crew.add.map([1], errors="return"):
        assert_type(either, int | Exception)
    crew.add.map(["a"])  # error
    crew.two.starmap([(1, 2)])  # error
    crew.add.map([1], errors="skip")  # error
    await crew.add.broadcast("1")  # error


@remote
def square(x: int) -> int:
    return x * x


@remote(max_retries=5)
async def fetch(url: str) -> bytes:
    return url.encode()


async def functions() -> None:
    assert_type(await square(2), int)
    assert_type(square.remote(2), ObjectRef[int])
    assert_type(await square.options(max_retries=0)(2), int)
    assert_type(await fetch("a"), bytes)
    assert_type(await fetch.remote("a"), bytes)
    async for n in square.map(range(3)):
        assert_type(n, int)
    square("2")  # error
    square.remote(x="2")  # error
    square.map(["a"])  # error
    square.options(colour="red")  # error
    square(2)  # error


class Source(Actor, executor=Thread(loop="asyncio"), concurrency_groups={"slow": 2}):
    @method
    def numbers(self, n: int) -> Iterator[int]:
        yield from range(n)

    @method(ahead=4, timeout=1.0, num_returns="streaming", concurrency_group="slow")
    async def pages(self, n: int, *, text: str = "") -> AsyncIterator[str]:
        yield text * n

    @method
    def lines(self) -> Generator[bytes, None, None]:
        yield b""

    @method
    async def points(self) -> AsyncGenerator[float, None]:
        yield 1.0

    @method(ahead="4")  # error
    def misspelt(self) -> Iterator[int]:
        yield 1

    @method
    async def sized(self, n: int, *, text: str = "") -> str:
        return text * n

    @method
    async def size(self, n: int) -> int:
        async for page in self.pages(n):
            assert_type(page, str)
        return n


async def streams(h: Handle[Source]) -> None:
    assert_type(h.numbers(3), Stream[int])
    assert_type(h.pages(3, text="x"), Stream[str])
    assert_type(h.lines(), Stream[bytes])
    assert_type(h.points(), Stream[float])
    assert_type(h.pages.options(ahead=2, timeout=None)(3), Stream[str])
    async with h.numbers(3) as numbers:
        async for n in numbers:
            assert_type(n, int)
    assert_type(await anext(h.pages(1)), str)
    await h.pages(1).aclose()
    async for ref in h.numbers.remote(3):
        assert_type(ref, ObjectRef[int])
        assert_type(await ref, int)
    async for page in get_actor("source", Source).pages(3):
        assert_type(page, str)
    h.numbers("3")  # error
    h.pages(3, text=4)  # error
    h.pages.remote("3")  # error
    h.pages.options(ahed=2)  # error
    h.numbers.cast(3)  # error
    await h.numbers(3)  # error


async def an_async_class(h: Handle[Source]) -> None:
    assert_type(await h.size(3), int)
    assert_type(h.size.remote(3), ObjectRef[int])
    assert_type(await h.call(Source.size, 3), int)
    assert_type(await Source().size(3), int)
    assert_type(Source().numbers(3), Iterator[int])
    h.size.cast(3)
    h.size("3")  # error
    h.size.options(concurrency_group=2)  # error
    Source.options(max_concurrency="3")  # error
    Source.options(executor=Thread(loop="uvloop"))  # error


async def maps(h: Handle[Source], counter: Handle[Counter]) -> None:
    async with h.size.map(range(3), window=10, ordered=False) as sizes:
        async for n in sizes:
            assert_type(n, int)
    async for either in counter.two.starmap([(1, "a")], errors="return"):
        assert_type(either, str | Exception)
    async for size in h.size.map([1], errors="return"):
        assert_type(size, int | Exception)
    h.size.map(["a"])  # error
    h.size.map(3)  # error
    h.size.map([1], window="3")  # error
    counter.two.starmap([("a", 1)])  # error
    async for page in h.sized.starmap([(1,)], ordered=False):
        assert_type(page, str)
    async for page_or_error in h.sized.starmap([(1,)], errors="return"):
        assert_type(page_or_error, str | Exception)
    h.sized.starmap([("a",)])  # error


class Caller(Actor):
    def __init__(self, counter: Handle[Counter]) -> None:
        self.counter = counter

    @method
    def plain(self) -> int:
        assert_type(blocking.get(self.counter.slow.remote()), str)
        blocking.call(self.counter.add, "1")  # error
        return blocking.call(self.counter.add, 1)

    @method
    async def awaits(self) -> str:
        await self.counter.add("1")  # error
        return await self.counter.slow()


async def handles_as_arguments(counter: Handle[Counter], source: Handle[Source]) -> None:
    assert_type(await (await Caller.start(counter)).plain(), int)
    await Caller.start(source)  # error


def carrying() -> None:
    assert_type(carry(ContextVar("user", default=1)), ContextVar[int])
    carry(3)  # error


def specs() -> None:
    assert_type(Source.child(), ChildSpec[Source])
    assert_type(Counter.options(id="c").child(1, step=2), ChildSpec[Counter])
    Supervisor(Source.child(), Pool(Source.options(id="s").child(), size=(1, 3)))
    Supervisor(Source)  # error
    Supervisor(Source.child(), intensity="3")  # error


async def an_actor_pool(a: Handle[Counter], b: Handle[Counter]) -> None:
    pool = ActorPool([a, b])
    async for n in pool.map(lambda actor, value: actor.add.remote(value), range(5)):
        assert_type(n, int)
    async for m in pool.map_unordered(Counter.add, range(5)):
        assert_type(m, int)
    pool.push(a)
    pool.map(Counter.add, ["a"])  # error


async def a_queue() -> None:
    orders: Queue[str] = Queue(maxsize=3)
    await orders.put("tea")
    assert_type(await orders.get(), str)
    assert_type(orders.get_nowait_batch(2), list[str])
    await orders.put(3)  # error


def an_executor(executor: Executor) -> None:
    assert_type(executor.submit(len, "abc").result(), int)
    assert_type(executor.submit(square, 2).result(), int)
    assert_type(list(executor.map(square, range(3))), list[int])
    executor.submit(len, 3)  # error
    executor.submit(square, "2")  # error


async def a_pool_as_an_executor() -> None:
    crew = await Pool(Counter.options(id="crew"), size=2).start()
    executor = Executor(crew)
    assert_type(executor.submit(crew.add, 2).result(), int)
    assert_type(list(executor.map(crew.add, range(3))), list[int])
    executor.submit(crew.add, "2")  # error
    Executor(crew, executor=Process())  # error
    Executor("crew")  # error


class Hooked(Actor):
    def on_start(self) -> None:
        assert_type(self.after(1.0, self.note, 1), ActorTimer)
        self.every(1.0, self.note, 1).cancel()
        self.after(1.0, self.note, "1")  # error
        self.after(1.0, self.note)  # error
        self.after("1", self.note, 1)  # error

    async def on_stop(self, why: str) -> None:
        self.nursery.start_soon(self.work)

    def save_state(self) -> int:
        return 1

    def load_state(self, before: int) -> None: ...

    def on_down(self, ended: Down) -> None: ...

    def on_interrupt(self) -> int:  # error
        return 1

    def note(self, n: int) -> None: ...

    @method
    async def work(self) -> None: ...


def in_plain_code(h: Handle[Source], counter: Handle[Counter]) -> None:
    for n in h.numbers(3):
        assert_type(n, int)
    with h.pages(3) as pages:
        assert_type(pages, Stream[str])
        for page in pages:
            assert_type(page, str)
    pages.close()
    with counter.add.map(range(3)) as sums:
        assert_type(sums, MapStream[int])
        assert_type(list(sums), list[int])
    for either in counter.two.starmap([(1, "a")], errors="return"):
        assert_type(either, str | Exception)
    assert_type(next(iter(square.map([1, 2]))), int)
    assert_type(blocking.get(list(h.numbers.remote(3))), list[int])
    assert_type(blocking.call(square, 2), int)
    assert_type(blocking.call(fetch, "a"), bytes)
    assert_type(blocking.call(counter.add, 1), int)
    assert_type(blocking.call(counter.add.broadcast, 1), list[int])
    blocking.call(square, "2")  # error
    blocking.call(counter.add, "1")  # error
    blocking.call(counter.add.broadcast, "1")  # error
    blocking.call(h.numbers, 3)  # error
    blocking.call(len, "a")  # error
    blocking.wait(counter.add.remote(1))  # error
    assert_type(blocking.dump(counter), str)
    with blocking.open_scope() as scope:
        scope.adopt(counter.add.remote(1))
    orders: blocking.Queue[str] = blocking.Queue(3)
    orders.put("tea")
    orders.put(3)  # error
    assert_type(orders.get(timeout=1.0), str)
    pool = blocking.ActorPool([counter])
    for total in pool.map(Counter.add, [1, 2]):
        assert_type(total, int)
    pool.map(Counter.add, ["a"])  # error
    with blocking.Executor(2) as executor:
        assert_type(executor.submit(len, "abc").result(), int)


async def under_asyncio(counter: Handle[Counter]) -> None:
    assert_type(await aio.dump(counter, timeout=1.0), str)
    async with aio.open_scope() as scope:
        scope.adopt(counter.add.remote(1))
    orders: aio.Queue[str] = aio.Queue(3)
    await orders.put("tea")
    assert_type(await orders.get(), str)
    await orders.put(3)  # error
    async for total in aio.ActorPool([counter]).map(Counter.add, [1, 2]):
        assert_type(total, int)
    async with aio.Executor(2) as executor:
        assert_type(executor.submit(len, "abc").result(), int)


def asking_a_runtime(near: Runtime, far: FarRuntime) -> None:
    assert_type(near.get_actor("c", Counter), Handle[Counter])
    assert_type(far.get_actor("c", Counter), Handle[Counter])
    assert_type(far.get_actor("c", namespace="x"), Handle[Any])
    near.get_actor(3)  # error
    far.get_actor("c", Counter).add("1")  # error


def half(n: int, *, up: bool = False) -> float:
    return n / 2


async def load(name: str) -> bytes:
    return name.encode()


async def workers() -> None:
    worker = await Worker.options(executor=Process(), max_concurrency=8).start()
    assert_type(worker, Handle[Worker])
    assert_type(await worker.call(half, 3, up=True), float)
    assert_type(await worker.call(lambda: "a"), str)
    assert_type(worker.call.remote(half, 3), ObjectRef[float])
    assert_type(await get(worker.call.remote(half, 3)), float)
    worker.call.cast(half, 3)
    await worker.call(half, "3")  # error
    await worker.call(half, 3, down=True)  # error
    await worker.call(3)  # error
    worker.call.remote(half)  # error
    worker.call.cast(half, "3")  # error
    worker.call(half, 3)  # error
    assert_type(await worker.call.options(timeout=1.0)(half, 3), float)
    assert_type(await worker.run(half, 3), None)
    assert_type(worker.run.remote(half, 3), ObjectRef[None])
    worker.run.cast(half, "3")  # error
    assert_type(await worker.eval("1 + 1"), Any)
    await worker.eval("x", "json", given={"x": 1}, discard=True, filename="cell.py")
    await worker.exec("x = 1", given={"x": 1})
    await worker.exec("x = 1", discard=True)  # error
    await worker.eval(1)  # error
    async with worker.call.map([str, str]) as texts:
        assert_type(texts, MapStream[str])
    async with worker.call.starmap([(half, 1), (half, 2)]) as found:
        assert_type(found, MapStream[Any])
    assert_type(Worker().call(half, 3), float)
    Worker().call(half, "3")  # error

    awaiting = await AsyncWorker.start()
    assert_type(await awaiting.call(load, "a"), bytes)
    assert_type(await awaiting.call(half, 3), float)
    assert_type(awaiting.call.remote(load, "a"), ObjectRef[bytes])
    await awaiting.call(load, 1)  # error

    pool = await Pool(Worker, 4).start()
    assert_type(await pool.call(half, 3), float)
    assert_type(await pool.call.broadcast(half, 3), list[float])


def worker_in_plain_code() -> None:
    worker = Worker.remote()
    assert_type(blocking.call(worker.call, half, 3), float)
    assert_type(blocking.call(worker.run, half, 3), None)
    assert_type(blocking.call(worker.eval, "1"), Any)
    assert_type(blocking.get(worker.call.remote(half, 3)), float)
    awaiting = AsyncWorker.remote()
    assert_type(blocking.call(awaiting.call, load, "a"), bytes)
    assert_type(blocking.call(awaiting.call, half, 3), float)


class Porter(Actor, executor=Process()):
    @method
    def first(self, source: ReceiveChannel[int]) -> int:
        return next(source)

    @method
    def double(self, source: blocking.ReceiveChannel[int], out: blocking.SendChannel[int]) -> int:
        out.send("a")  # error
        out.send(2 * source.receive())
        return sum(source)


def channels_in_plain_code(porter: Handle[Porter]) -> None:
    send, receive = blocking.open_channel[int](3)
    assert_type(send, blocking.SendChannel[int])
    assert_type(receive.receive(), int)
    assert_type(list(receive), list[int])
    blocking.call(porter.first, receive)
    blocking.call(porter.double, receive.clone(), send)
    blocking.call(porter.double, send, receive)  # error


async def channels(porter: Handle[Porter]) -> None:
    send, receive = open_channel[int](3)
    await send.send(1)
    assert_type(await receive.receive(), int)
    assert_type(await porter.first(receive), int)
    await send.send("a")  # error
