"""Which of several ways to send a shape is taken, worked out by hand."""

import pytest

from keras3dgan.codec.goals import Goal, Point, front, share
from keras3dgan.codec.origin import Origin
from keras3dgan.errors import InputError
from keras3dgan.voxels.placement import Placement


def _points(*pairs):
    return [Point(None, size, quality) for size, quality in pairs]


def test_bytes_go_where_they_raise_the_mean_most():
    # By hand: of 5 bytes behind the first points' 2 and 1, the steps gain 0.1, 0.05 and 0.3, 0.02 a byte.
    one, two = _points((2, 0.1), (4, 0.3), (8, 0.5)), _points((1, 0.2), (3, 0.8), (13, 1.0))
    chosen = share([one, two], 8)
    assert [(point.size, point.iou) for point in chosen] == [(4, 0.3), (3, 0.8)]
    assert [point.size for point in share([one, two], 2)] == [2, 1]
    assert [point.size for point in share([one, two], 99.5)] == [8, 13]
    # A point below the line between its neighbours is passed over.
    low = _points((1, 0.1), (2, 0.11), (3, 0.9))
    assert [point.size for point in share([low], 3)] == [3]


def test_goals_out_of_range_are_refused():
    for goal, word in (
        ({"bytes": 0}, "bytes: "),
        ({"min_iou": 1.5}, "min_iou: "),
        ({"mean_bytes": 0.2}, "mean_bytes: "),
    ):
        with pytest.raises(InputError, match=word):
            Goal(**goal)
    with pytest.raises(InputError, match="give one of"):
        Goal(bytes=20, min_iou=0.5)


def test_the_front_only_rises():
    found = front(_points((5, 0.5), (2, 0.4), (3, 0.3), (2, 0.2), (9, 0.5), (8, 0.9)))
    assert [(point.size, point.iou) for point in found] == [(2, 0.4), (5, 0.5), (8, 0.9)]


def test_each_goal_takes_what_reaches_it():
    found = _points((2, 0.4), (5, 0.5), (8, 0.9))
    assert Goal().choose([found]) == [found[2]]
    assert Goal(bytes=5).choose([found]) == [found[1]]
    assert Goal(min_iou=0.45).choose([found]) == [found[1]]
    assert Goal(mean_bytes=5.0).choose([found, found]) == [found[2], found[0]]
    for goal, words in ((Goal(bytes=1), "give at least 2.0"), (Goal(min_iou=0.95), "gets to 0.900")):
        with pytest.raises(InputError, match=words):
            goal.choose([found])


def test_bytes_that_the_placement_takes_are_named():
    placed = Point(None, 16, 1.0, Origin(placement=Placement(side=2.0)))
    with pytest.raises(InputError, match=r"give at least 16.0, or --nokeep_placement\."):
        Goal(bytes=9).choose([[placed]])
