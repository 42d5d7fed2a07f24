import signal
import threading

import pytest

from tfgan_mnist import interrupts


def interrupt() -> bool:
    """Presses Ctrl-C where a library drops it; whether it was felt there."""
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        return True
    return False


def test_a_held_interrupt_comes_at_the_end():
    felt = [interrupt()]
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        felt.append(interrupt())
    assert felt == [True, False]


def test_holding_twice_over_loses_nothing():
    passed = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        with interrupts.held():
            interrupt()
        passed.append("inner")
    assert passed == ["inner"]


def test_the_second_interrupt_acts_at_once():
    with pytest.raises(KeyboardInterrupt), interrupts.held():
        assert [interrupt(), interrupt()] == [False, True]


def test_what_was_noticed_and_the_handlers_before():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts.noticed(signal.SIGINT, signal.SIGTERM) as caught:
        assert caught == []
        signal.raise_signal(signal.SIGTERM)
        assert caught == [signal.SIGTERM]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_other_threads_cannot_catch_signals_and_go_on():
    done = []

    def work():
        with interrupts.held(), interrupts.noticed(signal.SIGINT) as caught:
            done.append(caught)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [[]]
