"""`Process(debug="debugpy")`: an editor attaches, by the protocol editors speak; the clock stands still."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.cast_debug import Thinker
from tests.person import ROOT
from tests.rehearsal import rehearse
from understudy import Process, Runtime, TaskError

PROGRAM = """
import trio
from tests.cast_debug import Thinker
from understudy import Process, open_runtime

async def main():
    async with open_runtime():
        thinker = await Thinker.options(name="thinker", call_timeout=1.0, executor=Process(debug="debugpy")).start()
        print("thought", await thinker.think(7), await thinker.think(8))

trio.run(main)
"""


class Editor:
    """As much of an editor as it takes: requests, and what comes back."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.sock.makefile("rb")
        self.number = 0

    def close(self) -> None:
        self.file.close()
        self.sock.close()

    def request(self, command: str, **arguments: Any) -> None:
        self.number += 1
        message = {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.sock.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def hears(self, kind: str, name: str) -> Any:
        """Wait for an event or a response of this name; returns its body."""
        while True:
            length = 0
            while (line := self.file.readline()) != b"\r\n":
                assert line, "the debugger hung up"
                if line.startswith(b"Content-Length:"):
                    length = int(line.partition(b":")[2])
            message = json.loads(self.file.read(length))
            if message["type"] == kind and message.get("event", message.get("command")) == name:
                return message.get("body")


@pytest.mark.slow
def test_an_editor_attaches_and_has_all_the_time() -> None:
    pytest.importorskip("debugpy", reason="the extra `dev` brings it")
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ExitStack() as undo:
        undo.callback(program.communicate)
        undo.callback(program.kill)
        assert program.stderr is not None
        found = None
        while found is None:
            line = program.stderr.readline()
            assert line, "it ended"
            found = re.search(
                r"thinker .*cast_debug\.py:\d+ in think\(\) waits for an editor: attach to 127\.0\.0\.1:(\d+)",
                line,
            )
        editor = undo.enter_context(closing(Editor(int(found[1]))))
        editor.request("initialize", adapterID="test", pathFormat="path")
        editor.hears("response", "initialize")
        editor.request("attach", justMyCode=True)
        editor.hears("event", "initialized")
        editor.request("configurationDone")
        for _ in range(2):
            thread = editor.hears("event", "stopped")["threadId"]
            editor.request("stackTrace", threadId=thread)
            assert editor.hears("response", "stackTrace")["stackFrames"][0]["name"] == "think"
            time.sleep(1.3)
            editor.request("continue", threadId=thread)
        assert program.stdout is not None
        assert program.stdout.readline() == "thought 35 40\n"
        assert program.wait(20) == 0


def test_without_debugpy_the_error_says_what_to_install() -> None:
    async def scene(runtime: Runtime) -> None:
        thinker = await Thinker.options(
            executor=Process(debug="debugpy", packages="none", stderr="keep")
        ).start()
        with pytest.raises(TaskError) as raised:
            await thinker.think(7)
        assert isinstance(raised.value.cause, ImportError)
        assert "pip install debugpy" in str(raised.value)
        assert await thinker.count() == 0

    rehearse(scene)
