import os
import signal
import threading
from collections.abc import Callable

import pytest
from conftest import InChild

from apple_clf.io.interruption import SIGNALS, Interruption, interruptible


def wait_for(condition: Callable[[], object]) -> None:
    """Gives the watching thread its turn."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("no signal was noted")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_first_signal_is_noted_and_the_handlers_come_back(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with interruptible() as interruption:
        assert not interruption
        os.kill(os.getpid(), number)
        wait_for(lambda: interruption)
    assert interruption.signal_number == number
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert capfd.readouterr().err == "\nStopping after this epoch; once more stops at once.\n"


def test_fault_38_second_signal_ends_the_process_at_once(in_child: InChild) -> None:
    def twice() -> str:
        pid = os.fork()
        if pid == 0:
            with interruptible() as interruption:
                os.kill(os.getpid(), signal.SIGINT)
                wait_for(lambda: interruption)
                os.kill(os.getpid(), signal.SIGTERM)
                threading.Event().wait(60)
            os._exit(0)
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    assert in_child(twice) == "143"


def test_fault_39_signal_that_the_parent_ignored_stays_ignored() -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert interruption.signal_number is None
    finally:
        signal.signal(signal.SIGHUP, old)


def test_other_thread_changes_no_handlers() -> None:
    seen: list[Interruption] = []
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with interruptible() as interruption:
            assert signal.getsignal(signal.SIGINT) is before
            seen.append(interruption)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not seen[0]
