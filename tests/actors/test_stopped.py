"""A guest that a signal has stopped."""

from __future__ import annotations

import os
import signal

import pytest
import trio

from tests.transports.company import Tester
from understudy import Process, open_runtime

PATIENT = Process(stderr="keep", stopped_timeout=0.5)


@pytest.mark.slow
def test_each_stop_has_its_own_time() -> None:
    async def main() -> None:
        async with open_runtime():
            tester = await Tester.options(executor=PATIENT, max_restarts=-1).start()
            pid = await tester.pid()
            for _ in range(2):
                os.kill(pid, signal.SIGSTOP)
                await trio.sleep(0.3)
                os.kill(pid, signal.SIGCONT)
                await trio.sleep(0.1)

            assert await tester.pid() == pid

    trio.run(main)
