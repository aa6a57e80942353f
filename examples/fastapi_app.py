"""A FastAPI application that stays up under load while its workers are killed: a real server, real HTTP, real kills."""

import asyncio
import os
import signal
from collections import Counter

import httpx
import uvicorn
from fastapi import FastAPI

from understudy import Actor, Supervisor, aio, blocking, get_actor, method

WORKERS, CLIENTS, REQUESTS, KILLS = 2, 8, 50, 10


class Mill(Actor, max_task_retries=3):
    @method
    def factors(self, n: int) -> list[int]:
        found: list[int] = []
        while n > 1:
            found.append(next(d for d in range(2, n + 1) if n % d == 0))
            n //= found[-1]
        return found

    @method
    def pid(self) -> int:
        return os.getpid()


tree = Supervisor(*(Mill.options(name=f"mill-{n}").child() for n in range(WORKERS)), intensity=1000)
app = FastAPI(lifespan=aio.lifespan(tree))


@app.get("/factors/{n}")
async def factors(n: int) -> list[int]:
    return await get_actor(f"mill-{n % WORKERS}", Mill).factors(n)


@app.get("/blocking/{n}")
def factors_blocking(n: int) -> list[int]:  # a plain function: FastAPI runs it in a thread
    return blocking.call(get_actor(f"mill-{n % WORKERS}", Mill).factors, n)


async def client(url: str, number: int) -> Counter[tuple[int, bool]]:
    """Ask for factors again and again; counts the answers by status, and whether they were right."""
    answers: Counter[tuple[int, bool]] = Counter()
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        for n in range(REQUESTS):
            path = "/factors" if n % 2 else "/blocking"
            response = await http.get(f"{path}/{(number + 2) * (n + 2)}")
            product = 1
            for factor in response.json():
                product *= factor
            answers[response.status_code, product == (number + 2) * (n + 2)] += 1
    return answers


async def kill_mills() -> None:
    for n in range(KILLS):
        mill = get_actor(f"mill-{n % WORKERS}", Mill)
        pid = await mill.pid()
        os.kill(pid, signal.SIGKILL)
        while await mill.pid() == pid:  # noqa: ASYNC110  until another has taken over
            await asyncio.sleep(0.01)


async def main() -> None:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  it tells in no other way
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    killing = asyncio.create_task(kill_mills())
    counts = await asyncio.gather(*(client(f"http://127.0.0.1:{port}", n) for n in range(CLIENTS)))
    await killing
    mills = [get_actor(f"mill-{n}", Mill) for n in range(WORKERS)]
    incarnations = sum(aio.statistics(mill).incarnation for mill in mills)

    server.should_exit = True
    await serving
    for (status, right), count in sum(counts, Counter[tuple[int, bool]]()).items():
        print(f"{count} answers with status {status}, {'all' if right else 'none'} of them right")
    print(f"{KILLS} kills, {incarnations - WORKERS} workers that took over")


if __name__ == "__main__":
    asyncio.run(main())
