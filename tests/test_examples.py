"""Each example, run as the script it is, prints exactly this."""

import subprocess
import sys

import pytest

from tests.pages import ROOT

RUNS = ("trio.run(main)", "asyncio.run(main())", "main()")
EXAMPLES = {
    "counter.py": """\
call: 15
ref: 16
after the cast: 116
refs, in order: [117, 118, 119]
""",
    "channel_pipeline.py": """\
1000 words cut, 1000 counted, 3390 letters
""",
    "compare_strategies.py": """\
simulated, ten times a week: the share of time that all three are up
  one_for_one  0.9905 ± 0.00039
  rest_for_one 0.988 ± 0.00054
  one_for_all  0.987 ± 0.00058
  one_for_all less one_for_one, under the same faults: -0.003522 ± 0.00049
restarts after one crash: simulated, and of real processes
  one_for_one  1, 1
  rest_for_one 2, 2
  one_for_all  3, 3
""",
    "crash.py": """\
calls so far: 2
the incarnation died: signal: its process killed by SIGSEGV
safe to retry: False
the same handle, a fresh state: 1
incarnation 2
""",
    "crunch_files.py": """\
hamlet.txt: 'to', 2 times
macbeth.txt: 'tomorrow', 3 times
poison.txt: signal: its process killed by SIGKILL
tempest.txt: 'are', 2 times
words in all: 29
""",
    "endless.py": """\
interrupted: brood() was interrupted while it ran in thinker-1
timed out: brood() to thinker-1 did not answer within 0.5 s
it still knows its thoughts: 2
incarnation 1
""",
    "events.py": """\
the caller: signal: its process killed by SIGKILL
the next reader: 5
a dead letter: poison ('poison',) after 3 deaths
  incarnation 1 is ready
  incarnation 1 ended, signal: its process killed by SIGKILL
  attempt 2 will be made
  incarnation 2 is ready
  incarnation 2 ended, signal: its process killed by SIGKILL
  attempt 3 will be made
  incarnation 3 is ready
  incarnation 3 ended, signal: its process killed by SIGKILL
  no more attempts
  incarnation 4 is ready
""",
    "fastapi_app.py": """\
400 answers with status 200, all of them right
10 kills, 10 workers that took over
""",
    "interrupt_keyboard.py": """\
counting; press Ctrl-C
told: count() was interrupted while it ran in counter-1
it has got somewhere: True
press Ctrl-C again, and all stops
all has stopped
""",
    "nested_workers.py": """\
squares, from workers of a worker: [1, 4, 9, 16]
levels below the first worker: 2
interrupted, and what ran below it, too
the same process: True
""",
    "lambdas.py": """\
[2, 3, 4]
[10, 20, 30]
Note(text='hello', length=5) True
""",
    "pipeline.py": """\
chapter 1, 18 words; the press is 3 ahead at most: True
chapter 2, 18 words; the press is 3 ahead at most: True
chapter 3, 18 words; the press is 3 ahead at most: True
nobody reads on, and the press has stopped
""",
    "plain_remote.py": """\
hello you
['hello Ada', 'bonjour Ada']
1 ended, 0 pending: bonjour Bob
ActorDiedError: french is dead (signal: killed by kill())
""",
    "plain_script.py": """\
one call: 6
first: [1] and the rest: [2, 3, 4]
from four threads: [1, 2, 3, 4, 5, 6, 7, 8]
'': nothing to read
'poison': signal: its process killed by SIGABRT
'still there': 2
incarnation 2
""",
    "pool_executor.py": """\
'to be': 2
'': signal: its process killed by SIGABRT
'that is the question': 4
in order: [32, 9, 4]
cancelled: True
and the executor goes on: 3
""",
    "strategy.py": """\
after reader fell: [1, 2, 1]
after cache fell: [2, 3, 2]
after reader fell: [2, 4, 2]
other running
reader parked
cache running
and a person brought it back
""",
    "tree.py": """\
1 word kept
left raised: nothing to read
2 words kept
readers/left: incarnation 2
readers/right: incarnation 1
tree  one_for_one, 3 in 5 s
  store  Store, incarnation 1
  readers  one_for_one, 5 in 1 s
    left  Reader, incarnation 2
    right  Reader, incarnation 1
dynamic  dynamic, 3 in 5 s
""",
    "untrusted.py": """\
{'kinds': 2, 'pieces': 7}
not sent: only data travels to an actor with trusted=False: objects of type Order are no data
refused: the result of smuggle() cannot travel: an untrusted actor answers in plain data only: Encoding objects of type function is unsupported
refused: the result of shout() cannot travel: it takes 20,006 bytes and the limit is 10,000
{'kinds': 1, 'pieces': 5}
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_promises(name: str) -> None:
    script = ROOT / "examples" / name
    done = subprocess.run(
        [sys.executable, str(script)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, EXAMPLES[name]), done.stderr


@pytest.mark.slow
def test_the_example_that_is_a_test_file_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/test_shop.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)

    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout


def test_every_example_is_run() -> None:
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")} - {"test_shop.py"}

    assert scripts == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_a_main_that_can_be_imported(name: str) -> None:
    code = (ROOT / "examples" / name).read_text()

    assert "def main() -> None:" in code
    assert code.endswith(tuple(f'if __name__ == "__main__":\n    {run}\n' for run in RUNS))
