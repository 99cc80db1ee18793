"""Home Assistant through MQTT: sensors that it discovers by itself, and their state.

Everything is retained by the broker, so that Home Assistant knows it after a restart. The broker
reports the sensors as unavailable when this program or its source fails.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edge import __version__
from edge.errors import SourceError
from edge.extras import require
from edge.serve.live.watching import Presence

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

PORT = 1883
_DISCOVERY = "homeassistant"  # the prefix that Home Assistant listens to unless told otherwise
_HOLD_S = 2.0  # for which a face that is lost still counts: a missed frame changes nothing
_GOODBYE_S = 2.0  # for what is on its way to the broker at the end
_AT_LEAST_ONCE = 1
_ONLINE, _OFFLINE = "online", "offline"
# Component, key of the state, and what else the sensor says of itself.
_SENSORS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("sensor", "faces", {"name": "Faces", "state_class": "measurement", "icon": "mdi:face-man"}),
    ("binary_sensor", "any_face", {"name": "Any face", "device_class": "occupancy"}),
    ("binary_sensor", "attention", {"name": "Attention", "icon": "mdi:eye"}),
)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and as whom to log in; without a user anonymously."""

    host: str
    port: int = PORT
    user: str | None = None
    password: str | None = None


def parse_address(text: str) -> tuple[str, int]:
    """The host and port of `HOST` or `HOST:PORT`.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.netloc != text or "@" in text:
        raise ValueError(f"expected HOST or HOST:PORT, received {text!r}")
    return parts.hostname, parts.port or PORT


class HomeAssistant:
    """Publishes who is in view. It reconnects by itself."""

    def __init__(self, broker: Broker, name: str, source: str) -> None:
        """Connect in the background.

        Args:
            broker: to publish to.
            name: of the device in Home Assistant.
            source: of the stream, its model there.

        Raises:
            MissingExtra: paho-mqtt is not installed.
            SourceError: the name has no letter or digit.
        """
        mqtt = require("paho.mqtt.client", "mqtt", "MQTT")
        self._id = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if not self._id:
            raise SourceError(f"a name for MQTT needs a letter or a digit, received {name!r}")
        self._name, self._source, self._broker = name, source, broker
        self._recent: deque[tuple[float, Presence]] = deque()
        self._state = ""  # as published
        self._is_available = False
        self._is_reported = False  # that there is no connection
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"edge_{self._id}")
        client.will_set(self._topic("availability"), _OFFLINE, _AT_LEAST_ONCE, retain=True)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        client.on_connect, client.on_connect_fail = self._connected, self._failed
        self._client: Client = client
        client.connect_async(broker.host, broker.port)
        client.loop_start()

    def __call__(self, presence: Presence | None, time: float) -> None:
        """Publish what has changed; arguments as of `edge.serve.live.watching.Watcher`."""
        if presence is None:
            self._recent.clear()
            self._set_available(False)
            return
        if self._recent and time < self._recent[-1][0]:  # a video restarts
            self._recent.clear()
        self._recent.append((time, presence))
        while time - self._recent[0][0] > _HOLD_S:
            self._recent.popleft()
        state = json.dumps(_to_state([recent for _, recent in self._recent]))
        if state != self._state:
            self._state = state
            self._publish(self._topic("state"), state)
        self._set_available(True)

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._is_available = False
        sent = self._publish(self._topic("availability"), _OFFLINE)
        if sent:
            with contextlib.suppress(RuntimeError):  # the connection broke meanwhile
                sent.wait_for_publish(_GOODBYE_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _set_available(self, available: bool) -> None:
        if available != self._is_available:
            self._is_available = available
            self._publish(self._topic("availability"), _ONLINE if available else _OFFLINE)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._report(str(reason))
            return
        self._is_reported = False
        for component, key, settings in _SENSORS:
            topic = f"{_DISCOVERY}/{component}/{self._id}/{key}/config"
            self._publish(topic, json.dumps(self._config(key, settings)))
        if self._state:
            self._publish(self._topic("state"), self._state)
        available = _ONLINE if self._is_available else _OFFLINE
        self._publish(self._topic("availability"), available)

    def _failed(self, *_: Any) -> None:
        self._report("no connection")

    def _report(self, reason: str) -> None:
        if not self._is_reported:
            self._is_reported = True
            address = f"{self._broker.host}:{self._broker.port}"
            print(f"edge: MQTT broker {address}: {reason}; trying again", file=sys.stderr)

    def _config(self, key: str, settings: dict[str, str]) -> dict[str, Any]:
        return {
            **settings,
            "unique_id": f"edge_{self._id}_{key}",
            "state_topic": self._topic("state"),
            "value_template": f"{{{{ value_json.{key} }}}}",
            "availability_topic": self._topic("availability"),
            "device": {
                "identifiers": [f"edge_{self._id}"],
                "name": self._name,
                "manufacturer": "edge-keypoints",
                "model": self._source,
                "sw_version": __version__,
            },
        }

    def _topic(self, name: str) -> str:
        return f"edge-keypoints/{self._id}/{name}"

    def _publish(self, topic: str, text: str) -> MQTTMessageInfo | None:
        if not self._client.is_connected():  # it is published when there is a connection
            return None
        return self._client.publish(topic, text, _AT_LEAST_ONCE, retain=True)


def _to_state(recent: list[Presence]) -> dict[str, int | str]:
    faces = max(presence.faces for presence in recent)
    facing = max(presence.facing for presence in recent)
    return {"faces": faces, "any_face": _on(faces), "attention": _on(facing)}


def _on(count: int) -> str:
    return "ON" if count else "OFF"
