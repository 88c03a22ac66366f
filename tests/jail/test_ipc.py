from __future__ import annotations

import mmap
import os
import socket

import pytest

from eureka_agent.jail.deadlines import ProcessorClock, until
from eureka_agent.jail.ipc import MAX_MESSAGE_BYTES, BufferLayout, Channel, ProtocolError, pack
from eureka_agent.rewards.runner import MAX_COMPONENTS


def _pair() -> tuple[Channel, Channel]:
    one, other = socket.socketpair()
    return Channel(one.detach()), Channel(other.detach())


def test_messages_arrive_whole_and_in_order() -> None:
    one, other = _pair()
    one.send({"a": [1, 2.5, "ü"]})
    one.send({})
    assert other.receive() == {"a": [1, 2.5, "ü"]}
    assert other.receive(until(1.0)) == {}
    one.close()
    one.close()
    assert other.receive() is None
    with pytest.raises(BrokenPipeError):
        other.send({})
    other.close()


def test_waiting_ends() -> None:
    one, other = _pair()
    with pytest.raises(TimeoutError):
        other.receive(until(0.02))
    one.close()
    other.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x02[]",
        b"\x00\x00\x00\x01x",
        b"\x7f\x00\x00\x00",
        b"\0\0\xc3\x50" + b"[" * 50_000,
    ],
)
def test_data_that_is_not_a_message_is_refused(data: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(data)
        with pytest.raises(ProtocolError):
            Channel(os.dup(other.fileno())).receive(until(1.0))


def test_messages_have_a_largest_size() -> None:
    with pytest.raises(ProtocolError, match="above the limit"):
        pack({"x": "a" * MAX_MESSAGE_BYTES})


def test_layout_puts_every_tensor_in_its_own_place() -> None:
    layout = BufferLayout({"a": (3,), "b": (), "c": (2, 2)}, max_rows=5)
    # Five rows of 3 + 1 + 4 inputs, one reward and the components, and the doorbell, 4 bytes each.
    assert layout.size_bytes == 4 * (5 * (8 + 1 + MAX_COMPONENTS) + 1)
    memory = mmap.mmap(-1, layout.size_bytes)
    exchange = layout.views(memory)
    assert {name: tuple(view.shape) for name, view in exchange.inputs.items()} == {
        "a": (5, 3),
        "b": (5,),
        "c": (5, 2, 2),
    }
    tensors = [*exchange.inputs.values(), exchange.reward, exchange.components, exchange.doorbell]
    for number, tensor in enumerate(tensors, start=1):
        tensor.fill_(float(number))
    assert [set(tensor.flatten().tolist()) for tensor in tensors] == [
        {1.0},
        {2.0},
        {3.0},
        {4.0},
        {5.0},
        {6.0},
    ]
    again = layout.views(memory)
    assert again.reward.tolist() == [4.0] * 5


def test_processor_time_waits_for_a_sleeper_longer_than_for_a_worker() -> None:
    sleeper = os.fork()
    if sleeper == 0:
        os.read(os.pipe()[0], 1)
    try:
        clock = ProcessorClock(sleeper)
        wait = clock.until(0.5, patience=100.0)
        assert 0.0 < wait() <= 0.5
        clock.charge()
        assert clock.until(0.0)() == 0.0
    finally:
        os.kill(sleeper, 9)
        os.waitpid(sleeper, 0)
