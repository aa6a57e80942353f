"""A plan of a tree is checked when it is made."""

from typing import Any

import pytest

from tests.cast import Player
from understudy import ChildSpec, Supervisor


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"strategy": "all"},
            "strategy must be one of one_for_one, one_for_all, rest_for_one, escalating, or an object with decide(), not 'all'",
        ),
        ({"intensity": -1}, "intensity must be a count of restarts, 0 or more, not -1"),
        ({"intensity": 1.5}, "intensity must be"),
        ({"intensity": True}, "intensity must be"),
        ({"within": 0}, "within must be a number of seconds above 0, not 0"),
        ({"within": "5"}, "within must be"),
        ({"id": ""}, "id must be a text without '/', not ''"),
        ({"id": "a/b"}, "id must be"),
    ],
)
def test_a_bad_field_is_refused_by_name_and_value(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as error:
        Supervisor(**options)
    assert str(error.value).startswith(text)


@pytest.mark.parametrize("child", [Player, Player(), "child", None])
def test_only_specs_and_supervisors_are_children(child: Any) -> None:
    with pytest.raises(
        TypeError, match=r"is no child; write X.child\(...\), Pool\(X, ...\) or Supervisor\(...\)"
    ):
        Supervisor(child)


def test_two_children_of_one_id_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"two children of 'root' have the id 'player'; give one with .options\(id=...\)"
    ):
        Supervisor(Player.child(), Player.child())


def test_ids_come_from_id_name_or_class_in_this_order() -> None:
    tree = Supervisor(
        Player.child(),
        Player.options(name="n").child(),
        Player.options(name="m", id="i").child(),
        Supervisor(id="s"),
    )

    assert tree.ids() == ["player", "n", "i", "s"]
    assert repr(tree) == "<Supervisor 'root' of player, n, i, s>"
    assert repr(Supervisor()) == "<Supervisor 'root' of nothing>"


def test_a_child_spec_can_be_written_by_hand() -> None:
    spec = ChildSpec(Player, args=(3,), kwargs={"step": 2}, id="p", restart="transient")

    assert (spec.cls, spec.args, dict(spec.kwargs)) == (Player, (3,), {"step": 2})
    assert (spec.options.id, spec.options.restart, spec.label) == ("p", "transient", "p")
    assert repr(spec) == "<child 'p': Player(3, step=2)>"


def test_a_child_spec_does_not_change() -> None:
    with pytest.raises(AttributeError, match="a ChildSpec does not change; make another"):
        Player.child().args = ()


@pytest.mark.parametrize("cls", [int, "Player", Player(), None])
def test_a_child_spec_is_of_an_actor_class(cls: Any) -> None:
    with pytest.raises(TypeError, match="is no actor class; write"):
        ChildSpec(cls)


def test_a_child_spec_checks_its_options() -> None:
    with pytest.raises(TypeError, match="there is no option 'colour'"):
        ChildSpec(Player, colour="red")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="shutdown must be"):
        ChildSpec(Player, shutdown=-1)
