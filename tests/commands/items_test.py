"""What stages of a conversion share."""

import pathlib
import threading

import pytest

from keras3dgan.commands.items import BATCH, Item, ahead, on_all_cores


def _items(count):
    for index in range(count):
        path = pathlib.Path(str(index))
        yield Item(path.name, path, path)


def test_all_items_come_in_order_with_what_was_done(monkeypatch):
    """Two threads meet at each pair of items, so both must be at work."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    both = threading.Barrier(2, timeout=30)

    def work(item):
        both.wait()
        item.content = item.name

    assert [item.content for item in on_all_cores(work, _items(2 * BATCH))] == [str(i) for i in range(2 * BATCH)]


def test_only_a_batch_is_worked_on_ahead():
    begun, done = [], on_all_cores(lambda item: begun.append(item.name), _items(10 * BATCH))
    assert next(done).name == "0" and len(begun) <= BATCH
    done.close()
    assert len(begun) <= BATCH


def test_errors_come_out():
    with pytest.raises(ZeroDivisionError):
        list(on_all_cores(lambda item: 1 / 0, _items(2)))


def test_the_next_batch_is_made_while_one_is_in_hand():
    """The stage before ends its second batch while the first item of the first one is held."""
    made, second = [], threading.Event()

    def items():
        for item in _items(3 * BATCH):
            made.append(item.name)
            if len(made) == 2 * BATCH:
                second.set()
            yield item

    found = ahead(items())
    assert next(found).name == "0" and second.wait(30)
    assert [item.name for item in found] == [str(i) for i in range(1, 3 * BATCH)]
    left = ahead(items())
    next(left)
    left.close()
    assert len(made) <= 5 * BATCH


def test_errors_of_the_stage_before_come_out():
    with pytest.raises(ZeroDivisionError):
        list(ahead(1 // (2 - number) for number in range(5)))
