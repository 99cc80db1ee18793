import json
import time

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("paho.mqtt")

import edge
from edge.errors import SourceError
from edge.serve.live.mqtt import Broker, HomeAssistant, parse_address
from edge.serve.live.watching import Presence
from tests.edge.serve.live.mqtt_brokers import MOSQUITTO, Mosquitto, StandIn, free_port

STATE, AVAILABILITY = "edge-keypoints/front_door/state", "edge-keypoints/front_door/availability"
BROKERS = [
    StandIn,
    pytest.param(
        Mosquitto, marks=pytest.mark.skipif(not MOSQUITTO, reason="apt-get install mosquitto")
    ),
]


@pytest.fixture(params=BROKERS, ids=["stand-in", "mosquitto"])
def broker(request):
    with request.param() as running:
        yield running


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def count(broker, text):
    """How often the availability was published with this text."""
    return sum(one == (AVAILABILITY, text) for one in broker.history)


def connect(port, **login):
    return HomeAssistant(Broker("127.0.0.1", port, **login), "Front door", "camera:0")


def test_home_assistant_discovers_the_sensors_and_reads_their_state(broker):
    publish = connect(broker.port)
    wait_for(lambda: len(broker.retained) == 4)
    assert broker.retained[AVAILABILITY] == "offline"  # until there is a frame
    publish(Presence(2, 1), 0.0)
    wait_for(lambda: broker.retained[AVAILABILITY] == "online")
    assert json.loads(broker.retained[STATE]) == {"faces": 2, "any_face": "ON", "attention": "ON"}
    topic = "homeassistant/binary_sensor/front_door/attention/config"
    assert json.loads(broker.retained[topic]) == {
        "name": "Attention",
        "icon": "mdi:eye",
        "unique_id": "edge_front_door_attention",
        "state_topic": STATE,
        "value_template": "{{ value_json.attention }}",
        "availability_topic": AVAILABILITY,
        "device": {
            "identifiers": ["edge_front_door"],
            "name": "Front door",
            "manufacturer": "edge-keypoints",
            "model": "camera:0",
            "sw_version": edge.__version__,
        },
    }
    assert {topic for topic in broker.retained if topic.startswith("homeassistant")} == {
        topic,
        "homeassistant/binary_sensor/front_door/any_face/config",
        "homeassistant/sensor/front_door/faces/config",
    }
    publish.close()
    wait_for(lambda: broker.retained[AVAILABILITY] == "offline")


def test_only_changes_are_published_and_a_missed_frame_is_none(broker):
    publish = connect(broker.port)
    wait_for(lambda: AVAILABILITY in broker.retained)
    for number in range(20):
        publish(Presence(int(number != 10), 0), number / 10)
    for number in range(20, 60):
        publish(Presence(0, 0), number / 10)
    publish.close()
    wait_for(lambda: count(broker, "offline") == 2)
    states = [json.loads(text) for topic, text in broker.history if topic == STATE]
    assert states == [
        {"faces": 1, "any_face": "ON", "attention": "OFF"},
        {"faces": 0, "any_face": "OFF", "attention": "OFF"},
    ]


def test_a_source_that_fails_makes_the_sensors_unavailable(broker):
    publish = connect(broker.port)
    wait_for(lambda: AVAILABILITY in broker.retained)
    publish(Presence(1, 1), 0.0)
    publish(None, float("inf"))
    wait_for(lambda: count(broker, "offline") == 2)
    publish(Presence(1, 1), 9.0)
    wait_for(lambda: count(broker, "online") == 2)
    publish.close()


def test_the_broker_reports_a_program_that_ends_without_goodbye(broker):
    publish = connect(broker.port)
    wait_for(lambda: AVAILABILITY in broker.retained)
    publish(Presence(1, 1), 0.0)
    wait_for(lambda: broker.retained[AVAILABILITY] == "online")
    publish._client.loop_stop()
    publish._client._sock_close()  # as a killed process leaves it
    wait_for(lambda: broker.retained[AVAILABILITY] == "offline")


def test_user_and_password_are_sent():
    with StandIn() as broker:
        publish = connect(broker.port, user="anna", password="sesame")
        wait_for(lambda: broker.users)
        publish.close()
    assert broker.users == [("anna", "sesame")]


def test_a_broker_that_refuses_is_reported_once(capsys):
    with StandIn(refuse=5) as broker:
        publish = connect(broker.port)
        wait_for(lambda: len(broker.users) >= 2)
        publish.close()
    message = f"edge: MQTT broker 127.0.0.1:{broker.port}: Not authorized; trying again\n"
    assert capsys.readouterr().err == message


def test_a_broker_that_is_not_there_is_reported(capsys):
    port = free_port()
    publish = connect(port)
    wait_for(lambda: publish._is_reported)
    publish.close()
    message = f"edge: MQTT broker 127.0.0.1:{port}: no connection; trying again\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("text", "address"),
    [("pi", ("pi", 1883)), ("pi:99", ("pi", 99)), ("[::1]:99", ("::1", 99)), ("::1", None),
     ("", None), ("pi:x", None), ("pi:99999", None), ("a@pi", None), ("mqtt://pi", None)],
)  # fmt: skip
def test_addresses_are_hosts_with_or_without_a_port(text, address):
    if address is None:
        with pytest.raises(ValueError, match=r"HOST|[Pp]ort"):
            parse_address(text)
    else:
        assert parse_address(text) == address


def test_a_name_without_letters_is_refused():
    with pytest.raises(SourceError, match="needs a letter or a digit, received '--'"):
        HomeAssistant(Broker("127.0.0.1"), "--", "camera:0")
