"""MQTT brokers for tests: a stand-in that keeps what is retained, and Debian's mosquitto."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/sbin")
_CONNECT, _PUBLISH, _PINGREQ, _DISCONNECT = 1, 3, 12, 14


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class StandIn:
    """Accepts everything; a context manager.

    Attributes:
        port: to connect to.
        retained: the last message of each topic.
        history: all of them, in order.
        users: user and password of each connection.
    """

    def __init__(self, refuse=0):
        self.retained, self.history, self.users = {}, [], []
        broker = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                broker._serve(self.rfile, self.wfile, refuse)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, read, write, refuse):
        will = None
        while head := read.read(1):
            kind, flags = head[0] >> 4, head[0] & 15
            length = shift = 0
            while True:
                byte = read.read(1)[0]
                length |= (byte & 127) << shift
                shift += 7
                if not byte & 128:
                    break
            body = read.read(length)
            if kind == _CONNECT:
                will = self._connect(body)
                write.write(bytes([0x20, 2, 0, refuse]))
                if refuse:
                    return
            elif kind == _PUBLISH:
                topic, rest = _text(body)
                if flags & 6:
                    write.write(b"\x40\x02" + rest[:2])
                    rest = rest[2:]
                self._store(topic, rest.decode())
            elif kind == _PINGREQ:
                write.write(b"\xd0\x00")
            elif kind == _DISCONNECT:
                return
        if will:
            self._store(*will)

    def _connect(self, body):
        """Note the user; returns topic and text of the will."""
        protocol, rest = _text(body)
        assert protocol == "MQTT"
        flags, rest = rest[1], rest[4:]
        _, rest = _text(rest)
        will = None
        if flags & 4:
            topic, rest = _text(rest)
            text, rest = _text(rest)
            will = topic, text
        user = password = None
        if flags & 128:
            user, rest = _text(rest)
        if flags & 64:
            password, rest = _text(rest)
        self.users.append((user, password))
        return will

    def _store(self, topic, text):
        self.retained[topic] = text
        self.history.append((topic, text))


def _text(data):
    length = int.from_bytes(data[:2], "big")
    return data[2 : 2 + length].decode(), data[2 + length :]


class Mosquitto:
    """Debian's broker, without persistence; attributes as of `StandIn`, without `users`."""

    def __init__(self):
        self.retained, self.history = {}, []
        self.port = free_port()

    def __enter__(self):
        from paho.mqtt import client as mqtt

        self._process = subprocess.Popen([MOSQUITTO, "-p", str(self.port)], stderr=-3)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._store
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        for _ in range(200):
            try:
                self._client.connect("127.0.0.1", self.port)
                break
            except OSError:
                time.sleep(0.05)
        self._client.loop_start()
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()
        self._process.terminate()
        self._process.wait()

    def _store(self, _client, _data, message):
        self.retained[message.topic] = message.payload.decode()
        self.history.append((message.topic, message.payload.decode()))
