"""Calls in a child process: what it does with time, memory, crashes, threads, forks, and the end of its parent."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from keras3dgan import bounded
from keras3dgan.bounded import Limits
from keras3dgan.errors import InputError, UnavailableError
from tests.conftest import command_environment

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="module")
def importable():
    """Children find `tests` where this process would."""
    bounded.close()
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))
    bounded.close()


def _call(function, limits=Limits(), prepare=None, **given):
    return bounded.call(f"tests.bounded_calls:{function}", given, "a.mat", limits, prepare)


def _refused(words, function, limits=Limits(), **given):
    with pytest.raises(InputError, match=words) as error:
        _call(function, limits, **given)
    assert str(error.value).count("\n") == 0 and str(error.value).isprintable()
    return error.value


def _pid():
    return _call("echo")[0]["pid"]


def test_a_child_is_reused_and_is_no_copy_of_this_process():
    bounded.close()
    told, content = _call("echo", path="ä\udcff\n", number=1.5)
    assert told["given"] == {"path": "ä\udcff\n", "number": 1.5} and content == bytes(range(256))
    assert told["pid"] == _pid() != os.getpid()
    names = set(_call("modules")[0]["names"])
    assert "numpy" not in names and not names & {"tensorflow", "keras", "pytest", "absl"}


def test_time_is_bounded():
    before = _pid()
    for function, given in (("sleep", {"seconds": 30}), ("spin", {})):
        begin = time.perf_counter()
        _refused(r"^a.mat: takes more than 0.3 s to read; simplify it", function, Limits(seconds=0.3), **given)
        assert time.perf_counter() - begin < 20
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_memory_is_bounded():
    _refused(r"^a.mat: takes more than 64 MiB of memory", "fill", Limits(bytes=64 << 20), mebibytes=70)
    assert _call("fill", Limits(bytes=64 << 20), mebibytes=30)[0]["length"] == 30 << 20
    _refused("crashed what reads it|takes more", "answer_too_much")


def test_memory_is_bounded_where_the_system_does_not_refuse_it(monkeypatch):
    monkeypatch.setattr(bounded, "_LOOK", 0.05)
    monkeypatch.setattr(bounded, "_resident", lambda pid, measured=bounded._resident: measured(pid) + (1 << 30))
    _refused(r"^a.mat: takes more than 900 MiB of memory", "sleep", Limits(bytes=900 << 20), seconds=30)
    assert 1 << 20 < bounded._resident(os.getpid()) - (1 << 30) < 1 << 36


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_a_sentence_and_the_next_call_works(number):
    words = rf"^a.mat: crashed what reads it \({number.name}\), it is damaged or hostile; get the file again.$"
    _refused(words, "end", number=int(number))
    assert _pid()


def test_a_child_that_was_killed_while_idle_is_replaced():
    before = _pid()
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert _pid() != before


def test_errors_of_the_function_come_back():
    error = _refused(r"^length: \\x1b\[31mthis will not do; x{900,990}\.\.\.$", "refuse")
    assert error.setting == "length"
    error = _refused("^a.mat: cannot be read, it is damaged in a way that nobody expects; get it again.$", "fail")
    assert "nobody expects this" in str(error.__cause__)


def test_preparing_happens_once_and_takes_no_time():
    bounded.close()
    for _ in range(2):
        _call("sleep", Limits(seconds=0.3), "tests.bounded_calls:prepare", seconds=0)
    assert _call("prepared")[0]["times"] == 1


def test_children_get_ready_before_they_are_called():
    bounded.close()
    bounded.start("wave", "tests.bounded_calls:prepare", count=2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(_call, "sleep", prepare="tests.bounded_calls:prepare", seconds=0.5) for _ in range(2)]
        assert [call.result()[1] for call in calls] == [b""] * 2
        told = [call.result()[0] for call in [pool.submit(_call, "prepared") for _ in range(2)]]
    assert [each["times"] for each in told] == [1, 1] and "wave" in _call("modules")[0]["names"]


def test_a_child_that_does_not_start_is_nobodys_fault(monkeypatch, capfd):
    bounded.close()
    monkeypatch.setattr(bounded, "_START", "raise SystemExit('no such interpreter')")
    with pytest.raises(UnavailableError, match="the process that reads files does not start"):
        _pid()
    assert "no such interpreter" in capfd.readouterr().err


def test_modules_in_the_current_folder_are_not_run(tmp_path, monkeypatch):
    bounded.close()
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    (tmp_path / "keras3dgan.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert _pid()


def test_threads_have_children_of_their_own():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pids = {told["pid"] for told, _ in pool.map(lambda _: _call("echo"), range(30))}
        slow = [pool.submit(_call, "sleep", seconds=0.2) for _ in range(3)]
        assert [call.result()[1] for call in slow] == [b""] * 3
    assert 1 <= len(pids) <= 3


def _ask_in_another(queue):
    queue.put(_pid())


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_other_processes_start_their_own(method):
    mine = _pid()
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=_ask_in_another, args=(queue,))
    process.start()
    other = queue.get()
    process.join()
    assert process.exitcode == 0 and other != mine == _pid()
    _wait_until_gone(other)


@pytest.mark.parametrize("function", ["echo()", "sleep(seconds=60)"])
def test_a_child_ends_with_its_parent(function):
    """Idle or in the middle of its work, however the parent ends."""
    name, given = function.split("(")
    script = f"""
        import os, signal, threading, time
        from keras3dgan import bounded
        ask = lambda: bounded.call("tests.bounded_calls:{name}", dict({given}, "a", bounded.Limits())
        threading.Thread(target=ask, daemon=True).start()
        while not bounded._children:
            time.sleep(0.01)
        [child] = bounded._children
        time.sleep(1)
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    found = subprocess.run(command, capture_output=True, text=True, env=command_environment())
    assert found.returncode == -signal.SIGKILL, found.stderr
    _wait_until_gone(int(found.stdout))


def _wait_until_gone(pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        # One whose parent has gone and whom nobody waits for is a zombie.
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
        if not state or state.startswith("Z"):
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} lives on")
