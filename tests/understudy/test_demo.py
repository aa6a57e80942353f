"""The demo: its input, its work, its account, and whole performances under fire."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import trio

from understudy import ExitReason
from understudy.actors.deadletter import DeadLetter
from understudy.demo.account import Account, Totals
from understudy.demo.chaos import Chaos
from understudy.demo.command import choose_show, processors
from understudy.demo.corpus import ENDLESS, POISON, Corpus, Piece, collect, passes
from understudy.demo.measure import Measure, Reader, measure_file
from understudy.demo.plain import PlainShow, line_of, row_of
from understudy.demo.play import Play, Settings
from understudy.demo.report import Report, report_of, title_of
from understudy.testing import Injector

ONE, TWO, BAD, GOOD = Piece(1, "one.py"), Piece(1, "two.py"), Piece(1, POISON), Piece(2, "one.py")
SLOW = Piece(1, ENDLESS)


# -- the input ---------------------------------------------------------------------------------------


def make_files(root: Path, number: int) -> Path:
    for index in range(number):
        (root / f"file_{index:02}.py").write_text(
            f"import os\n\ndef f{index}():\n    return {index}\n" * (index + 1)
        )
    return root


def test_the_corpus_is_sorted_and_holds_both_traps_once(tmp_path: Path) -> None:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "stranger.py").write_text("")
    make_files(tmp_path, 16)

    corpus = collect(root=str(tmp_path))

    assert list(corpus.honest) == [f"file_{index:02}.py" for index in range(16)]
    assert sorted(corpus.names) == sorted([POISON, ENDLESS, *corpus.honest])


def test_a_limit_takes_files_from_everywhere(tmp_path: Path) -> None:
    corpus = collect(4, str(make_files(tmp_path, 16)))

    assert corpus.honest == ("file_00.py", "file_04.py", "file_08.py", "file_12.py")


def test_a_limit_of_one_file_still_has_the_traps(tmp_path: Path) -> None:
    assert len(collect(1, str(make_files(tmp_path, 3))).names) == 3


def test_passes_follow_each_other_without_end_only_if_asked() -> None:
    corpus = Corpus("", ("one.py", "two.py"))

    assert list(passes(corpus, again=False)) == [ONE, TWO]
    assert list(islice(passes(corpus, again=True), 3)) == [ONE, TWO, GOOD]


# -- the work ----------------------------------------------------------------------------------------


def test_a_file_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "import os, sys\nfrom a import b\n\nclass C:\n    async def m(self):\n        x = 1\n        return x\n\ndef f(): pass\n"
    )

    assert measure_file(file) == Measure(
        lines=9, functions=2, classes=1, imports=3, longest=3, longest_name="m"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"def", "SyntaxError"),
        (b"x = '\xff'", "SyntaxError"),
        (b"\0", "SyntaxError|ValueError"),
        (b"# coding: nonsense\n", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_a_result_that_says_so(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)

    assert measure_file(file).problem.split(":")[0] in problem.split("|")


def test_a_file_that_is_gone_is_a_result_that_says_so(tmp_path: Path) -> None:
    assert measure_file(tmp_path / "gone.py").problem.startswith("FileNotFoundError")


def test_the_reader_works_without_any_actor(tmp_path: Path) -> None:
    make_files(tmp_path, 1)

    assert Reader(str(tmp_path)).measure("file_00.py").functions == 1


# -- the account -------------------------------------------------------------------------------------


def letter(call_id: int, deaths: int = 4, cause: str = "poison", *, ordered: bool = False) -> DeadLetter:
    return DeadLetter(
        call_id,
        "stage/reader-1",
        "measure",
        (POISON,),
        {},
        cause,
        (ExitReason("signal", ordered=ordered),) * deaths,
    )


def ledger(*steps: Callable[[Account], object]) -> Account:
    account = Account()
    for piece in (ONE, BAD, SLOW):
        account.hand_out(piece)
    for step in steps:
        step(account)
    return account


def good(account: Account) -> None:
    account.result(ONE, Measure(lines=3))
    account.bury(BAD, 7)
    account.interrupt(SLOW)


def test_an_account_balances_when_every_piece_ended_once_and_only_poison_is_buried() -> None:
    account = ledger(good)

    assert account.balance([letter(7)]) == []
    assert (account.files, account.results, len(account.buried)) == (3, 2, 1)


def test_an_account_balances_with_what_was_left_unread() -> None:
    account = ledger(lambda account: account.result(ONE, Measure()), Account.leave)

    assert account.balance([]) == []
    assert account.left == [SLOW, BAD] if SLOW.name < BAD.name else [BAD, SLOW]


@pytest.mark.parametrize(
    ("steps", "letters", "complaint"),
    [
        ([], [], "never settled"),
        ([good, lambda account: account.result(ONE, Measure(lines=3))], [letter(7)], "a second time: a result"),
        ([good, lambda account: account.bury(ONE, 8)], [letter(7)], "a second time: a dead letter"),
        ([good, lambda account: account.interrupt(TWO)], [letter(7)], "a second time: interrupted"),
        ([good], [], "there is no dead letter"),
        ([good], [letter(7), letter(7)], "there 2 times"),
        ([good], [letter(7), letter(8)], "whose caller was told nothing"),
        ([good], [letter(7, deaths=3)], "wrong history"),
        ([good], [letter(7, cause="undelivered")], "wrong history"),
        ([good], [letter(7, ordered=True)], "wrong history"),
        ([lambda account: account.fail(ONE, ValueError("no"))], [], "ended with ValueError('no')"),
        ([lambda account: account.interrupt(ONE)], [], "one.py was interrupted"),
        ([lambda account: account.bury(ONE, 1)], [letter(1)], "one.py went to the dead letters"),
        ([lambda account: account.result(BAD, Measure())], [], f"{POISON} was measured"),
        ([lambda account: account.result(SLOW, Measure())], [], f"{ENDLESS} was measured"),
    ],
)  # fmt: skip
def test_whatever_does_not_balance_is_told(
    steps: list[Callable[[Account], object]], letters: list[DeadLetter], complaint: str
) -> None:
    complaints = ledger(*steps).balance(letters)

    assert [text for text in complaints if complaint in text] != []


def test_a_file_that_measures_otherwise_in_a_later_pass_is_a_complaint() -> None:
    account = ledger(good)
    account.hand_out(GOOD)
    account.result(GOOD, Measure(lines=4))

    assert "one.py measured" in account.balance([letter(7)])[0]


def test_totals_equal_a_serial_run_over_several_passes_in_any_order() -> None:
    account = Account()
    measures = {"one.py": Measure(1, 2, 3, 4, 5, "f"), "two.py": Measure(10, 20, 30, 40, 5, "g")}
    for piece in (TWO, ONE, GOOD):
        account.hand_out(piece)
        account.result(piece, measures[piece.name])

    assert account.verify(measures.__getitem__) == []
    assert account.totals == Totals(12, 24, 36, 48, 5, "f() in one.py")


def test_a_serial_run_that_differs_is_told_by_file_and_in_total() -> None:
    differences = ledger(good).verify(lambda name: Measure(lines=5))

    assert len(differences) == 2


# -- the report --------------------------------------------------------------------------------------


def test_the_exit_status_is_1_for_what_does_not_balance_even_after_ctrl_c() -> None:
    found = [
        Report([], complaints, stopped).status for complaints in ([], ["x"]) for stopped in (False, True)
    ]

    assert found == [0, 130, 1, 1]


def test_complaints_are_shown_up_to_a_dozen() -> None:
    verdict = Report([], [f"complaint {number}" for number in range(20)]).verdict

    assert verdict.splitlines()[-1] == "  · and 8 more"
    assert len(verdict.splitlines()) == 14


def test_a_row_without_a_remark_is_shown_too() -> None:
    assert row_of("restarts", "7", "") == "    restarts           7  "


def test_there_are_at_least_two_readers_by_default() -> None:
    assert processors() >= 2


def test_what_is_no_terminal_gets_plain_lines() -> None:
    assert isinstance(choose_show(False), PlainShow)
    assert isinstance(choose_show(True), PlainShow)


# -- whole performances ------------------------------------------------------------------------------


def perform(root: Path, settings: Settings, look_on: Callable[[Play], object] = lambda play: None) -> Play:
    """Play a folder of small files, quickly."""

    async def watch(play: Play) -> None:
        while True:
            look_on(play)
            await trio.sleep(0.02)

    async def main() -> Play:
        play = Play(settings, collect(root=str(root)))
        await play.perform(watch)
        return play

    return trio.run(main)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_a_play_under_fire_balances(workers: int, tmp_path: Path) -> None:
    play = perform(make_files(tmp_path, 60), Settings(workers, kills=20.0, seed=4, patience=0.7))

    differences = play.account.verify(lambda name: measure_file(tmp_path / name))
    assert report_of(play, differences).complaints == []
    assert (play.account.files, len(play.account.interrupted), len(play.letters)) == (62, 1, 1)
    assert {blow.actor for blow in play.injector.injected} <= {seat.path for seat in play.seats}


@pytest.mark.slow
def test_far_too_many_kills_delay_a_play_but_do_not_stop_it(tmp_path: Path) -> None:
    play = perform(make_files(tmp_path, 6), Settings(1, kills=500.0, seed=1, patience=0.4))

    assert report_of(play, None).complaints == []


@pytest.mark.slow
def test_without_kills_only_the_poison_costs_lives(tmp_path: Path) -> None:
    play = perform(make_files(tmp_path, 20), Settings(2, kills=0.0, patience=0.7))

    assert report_of(play, None).complaints == []
    assert (len(play.injector.injected), play.letters[0].args, len(play.letters[0].deaths)) == (
        0,
        (POISON,),
        4,
    )


@pytest.mark.slow
def test_a_duration_repeats_the_files_and_every_pass_tells_the_same(tmp_path: Path) -> None:
    play = perform(make_files(tmp_path, 3), Settings(2, kills=2.0, seed=2, duration=4.0, patience=1.5))

    assert report_of(play, None).complaints == []
    assert play.turn > 1


@pytest.mark.slow
def test_the_live_view_draws_every_state_of_a_play(tmp_path: Path) -> None:
    from rich.console import Console

    from understudy.demo.view import LiveShow, picture

    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115
    seen: list[str] = []

    def draw(play: Play) -> None:
        console.print(picture(play, 30))
        seen.append(line_of(play))

    play = perform(make_files(tmp_path, 30), Settings(2, kills=10.0, seed=1, patience=0.7), draw)
    drawn = console.export_text()
    show = LiveShow()
    show.console = console
    show.tell(report_of(play, None))
    told = console.export_text()
    console.file.close()

    assert [
        word
        for word in ("theatre", "reader-2", "wings", "last kills", title_of(play)[:40])
        if word not in drawn
    ] == []
    assert ("files in" in told, "It balances" in told, seen != []) == (True, True, True)


def test_chaos_without_kills_does_nothing() -> None:
    trio.run(Chaos([], Injector(), 1).wreak, 0.0)
