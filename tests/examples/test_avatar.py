import contextlib
import socket

import pytest

pytest.importorskip("pythonosc")

from pythonosc.osc_message import OscMessage
from pythonosc.udp_client import SimpleUDPClient

from examples.avatar import messages, rotation
from tests.examples.filming import film
from tests.made_shots import closed


def values_of(frame):
    """Values of the blend shapes, and those of the head."""
    blends = {v[0]: v[1] for address, v in frame if address == "/VMC/Ext/Blend/Val"}
    [head] = [v for address, v in frame if address == "/VMC/Ext/Bone/Pos"]
    return blends, head


def test_smile_lids_and_head_are_sent(smiling, smiling_face):
    asleep = closed(smiling, smiling_face)
    sent = list(messages(film([(smiling, 0.5), (asleep, 0.5)])))
    assert [address for address, _ in sent[2]] == [
        "/VMC/Ext/OK", *["/VMC/Ext/Blend/Val"] * 4, "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Apply",
    ]  # fmt: skip
    awake, head = values_of(sent[2])
    assert awake["Joy"] > 0.7
    assert awake["Blink_R"] == awake["Blink_L"] == 0
    assert min(values_of(sent[-1])[0][name] for name in ("Blink_R", "Blink_L")) > 0.7
    assert head[0] == "Head"
    assert sum(v * v for v in head[4:]) == pytest.approx(1)


def test_rotations_are_unitys():
    assert rotation(0, 90, 0) == pytest.approx((0, 0.5**0.5, 0, 0.5**0.5))
    assert rotation(90, 90, 0) == pytest.approx(
        (0.5, 0.5, -0.5, 0.5)
    )  # Quaternion.Euler(90, 90, 0)


def test_the_messages_are_osc(smiling):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        client = SimpleUDPClient(*server.getsockname())
        stack.callback(client._sock.close)
        [frame] = messages(film([(smiling, 0.1)]))
        for address, values in frame:
            client.send_message(address, values)
            message = OscMessage(server.recv(4096))
            assert message.address == address
            assert list(message.params) == pytest.approx(values)
