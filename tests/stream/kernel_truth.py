#!/usr/bin/python3
"""Real connections over a bad path, and what the library makes of a live capture of them.

usage: kernel_truth.py [CONNECTIONS [SEED]], in a network namespace of its own (kernel_truth.sh).
Two namespaces, a tun device in each, and a process between the two that carries the packets. What goes wrong on the way is
netem's work where the kernel has it, else that process loses, doubles and delays packets. Afterwards the same packets in
other orders, with every policy."""
import collections
import ctypes
import fcntl
import hashlib
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import netfeat

CONNECTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 24
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
CLIENT, SERVER, PORT, LAST_PORT = "10.9.0.1", "10.9.0.2", 8000, 7  # the last one says that all is over
NETEM = "netem delay 3ms 3ms 25% loss 2% duplicate 1% reorder 20% 50%"
CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454CA, 1, 0x1000
MOST_SECONDS = 120
OPTIONS = {"depth_bytes": 0, "gap_timeout_ns": 60 * 10**9}  # a segment may be lost again and again


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def run(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def open_tun(name, address):
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        skip("no tun device: %s" % error)
    for command in (("ip", "address", "add", address + "/24", "dev", name), ("ip", "link", "set", name, "up")):
        if not run(*command):
            skip("%s is not permitted" % " ".join(command))
    return fd, run("tc", "qdisc", "add", "dev", name, "root", *NETEM.split())


def carry(ends, bad, record):
    """Packets from each device to the other one, for ever. Those at the first one go into the file, too."""

    def note(fd, packet):
        if fd == ends[0] and packet[0] >> 4 == 4 and packet[9] == 6:  # the kernel has its own things to say
            os.write(record, struct.pack("<I", len(packet)) + packet)

    dice, late = random.Random(SEED), []  # (when, number, to, packet)
    number = 0
    while True:
        wait = max(0, late[0][0] - time.monotonic()) if late else None
        for fd in select.select(ends, [], [], wait)[0]:
            packet, to = os.read(fd, 65536), ends[1 - ends.index(fd)]
            note(fd, packet)
            copies = (0 if dice.random() < .02 else 2 if dice.random() < .01 else 1) if bad else 1
            for _ in range(copies):
                number += 1
                delay = .003 * dice.random() if bad and dice.random() < .25 else 0
                late.append((time.monotonic() + delay, number, to, packet))
        late.sort()
        while late and late[0][0] <= time.monotonic():
            _, _, to, packet = late.pop(0)
            note(to, packet)
            os.write(to, packet)


def content(seed, side, number):
    dice = random.Random("%d %s %d" % (seed, side, number))
    return dice.randbytes(dice.choice((0, 1, 700, 20000, 150000, 400000)))


def talk(sock, data, dice):
    """Sends data and closes that half, while it reads until the other one is closed: the bytes that came."""
    came, at = bytearray(), 0
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, dice.randrange(2))
    sending = True
    while True:
        readable, writable, _ = select.select([sock], [sock] if sending else [], [], MOST_SECONDS)
        if not readable and not writable:
            raise TimeoutError("a connection does not move")
        if writable:
            at += sock.send(data[at:at + dice.randrange(1, 30000)]) if at < len(data) else 0
            if at == len(data):
                sock.shutdown(socket.SHUT_WR)
                sending = False
        if readable:
            piece = sock.recv(65536)
            came += piece
            if not piece and not sending:
                return bytes(came)
            if not piece:  # the other half is closed: nothing more to read, but to send
                sock.setblocking(True)
                sock.sendall(data[at:])
                sock.shutdown(socket.SHUT_WR)
                return bytes(came)


def digest(data):
    return "%d:%s" % (len(data), hashlib.sha256(data).hexdigest())


def serve(pipe):
    """Takes connections until one to the last port comes; {port of the client: digest of what came} into the pipe."""
    results, threads = {}, []
    listeners = []
    for port in (PORT, LAST_PORT):
        listener = socket.create_server((SERVER, port), backlog=CONNECTIONS + 1)
        listeners.append(listener)
    os.write(pipe, b"ready\n")

    def one(sock, port, number):
        results[port] = digest(talk(sock, content(SEED, "server", number), random.Random(number)))
        sock.close()

    while True:
        for listener in select.select(listeners, [], [])[0]:
            sock, (_, port) = listener.accept()
            if listener is listeners[1]:
                for thread in threads:
                    thread.join()
                os.write(pipe, json.dumps(results).encode() + b"\n")
                talk(sock, b"", random.Random(0))
                return
            thread = threading.Thread(target=one, args=(sock, port, port - 20000))
            threads.append(thread)
            thread.start()


def connected(number, port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((CLIENT, 20000 + number))
    sock.connect((SERVER, port))
    return sock


def converse(number, ret):
    sock = connected(number, PORT)
    ret[20000 + number] = digest(talk(sock, content(SEED, "client", number), random.Random(-number)))
    sock.close()


class Live(threading.Thread):
    """What the library makes of the device's packets, for ever."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.source = netfeat.Source(live=device, filter="tcp", kernel_buffer_bytes=64 << 20)
        self.found, self.gaps, self.error = collections.defaultdict(bytearray), 0, None

    def run(self):
        try:
            for event in netfeat.stream_events(self.source, **OPTIONS):
                if event.kind == "data" and event.stream.server.port == PORT:
                    self.found[event.stream.client.port, event.side] += event.data
                self.gaps += event.kind == "gap"
        except netfeat.Error as error:
            self.error = error

    def wait(self, expected):
        """Until as many bytes came as the sockets have, and a moment longer: there must be no more."""
        wanted = sum(int(sides[side].split(":")[0]) for sides in expected.values() for side in sides)
        deadline = time.monotonic() + MOST_SECONDS
        while self.error is None and time.monotonic() < deadline and sum(map(len, list(self.found.values()))) < wanted:
            time.sleep(.05)
        time.sleep(.2)
        if self.error is not None or self.gaps:
            print("not ok: live: %s, %d gaps" % (self.error or "no error", self.gaps))
            return 1
        return 0


def recorded(file):
    packets = []
    file.seek(0)
    while True:
        size = file.read(4)
        if not size:
            return packets
        packets.append(file.read(struct.unpack("<I", size)[0]))


def pcap(packets):
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for i, packet in enumerate(packets):
        out.append(struct.pack("<IIII", 1700000000 + i // 50000, i % 50000 * 20, len(packet), len(packet)) + packet)
    return b"".join(out)


def reordered(packets, dice):
    """Some segments up to forty places later, some twice; not behind the end of a connection."""
    keys, fields = [], []
    for packet in packets:
        at = (packet[0] & 15) * 4
        fields.append((packet[at:at + 4], packet[at + 13], len(packet) > at + (packet[at + 12] >> 4) * 4))
    for i, (ports, flags, payload) in enumerate(fields):
        keys.append((i, i))
        if flags & 0b110 or not payload or dice.random() > .3:
            continue
        most = min(dice.randrange(40), len(packets) - i - 1)
        for j in range(i + 1, i + most + 1):
            if fields[j][0] in (ports, ports[2:] + ports[:2]) and fields[j][1] & 0b110:
                most = j - i - 1
                break
        keys[-1] = (i + most, i)
        if dice.random() < .2:
            keys.append((i + dice.randrange(40), i))
    return [packets[i] for _, i in sorted(keys)]


def compare(found, expected, what):
    wrong = 0
    for port in sorted(expected):
        for side in ("client", "server"):
            got = digest(bytes(found.get((port, side), b"")))
            if got != expected[port][side]:
                wrong += 1
                print("not ok: %s: port %d, %s: %s, the socket received %s" % (what, port, side, got, expected[port][side]))
    if wrong == 0:
        print("ok: %s: %d directions, %d bytes" % (
            what, 2 * len(expected), sum(int(d.split(":")[0]) for e in expected.values() for d in e.values())))
    return wrong


def start_peer(record):
    """The other namespace and the carrier between the two, and with it the device, for as long as the last one is open:
    (lines of the server, its process, a descriptor)."""
    near, netem = open_tun("nf0", CLIENT)
    ready, pipe = os.pipe()
    over, ours = os.pipe()
    server = os.fork()
    if server == 0:
        os.close(ours)
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            os.write(pipe, b"skip\n")
            os._exit(0)
        far, both = open_tun("nf1", SERVER)
        carrier = os.fork()
        if carrier == 0:
            carry([near, far], not (netem and both), record.fileno())
        try:
            os.write(pipe, b"netem\n" if netem and both else b"own\n")
            serve(pipe)
            os.read(over, 1)
        finally:
            os.kill(carrier, signal.SIGKILL)
            os._exit(0)
    os.close(near)
    os.close(pipe)
    os.close(over)
    return os.fdopen(ready), server, ours


def main():
    run("ip", "link", "set", "lo", "up")
    record = tempfile.TemporaryFile()
    lines, server, device = start_peer(record)
    how = lines.readline().strip()
    if how not in ("netem", "own") or lines.readline().strip() != "ready":
        skip("a second network namespace is not permitted")
    live = None
    try:
        live = Live("nf0")
        live.start()
        time.sleep(.5)
    except netfeat.UnsupportedError as error:
        print("no live capture:", error)
    received, threads = {}, []
    for number in range(CONNECTIONS):
        threads.append(threading.Thread(target=converse, args=(number, received)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    last = connected(CONNECTIONS, LAST_PORT)
    at_server = {int(port): d for port, d in json.loads(lines.readline()).items()}  # all has come over there
    talk(last, b"the end", random.Random(0))
    last.close()
    expected = {port: {"client": at_server[port], "server": received[port]} for port in received}
    for port, sides in expected.items():  # the sockets themselves
        assert sides["client"] == digest(content(SEED, "client", port - 20000))
        assert sides["server"] == digest(content(SEED, "server", port - 20000))
    wrong = 0
    if live is not None:
        wrong += live.wait(expected)
        wrong += compare(live.found, expected, "captured live")
    os.close(device)
    os.waitpid(server, 0)
    packets = recorded(record)
    print("seed %d, %d connections, %d packets at the device; what goes wrong is %s" % (
        SEED, CONNECTIONS, len(packets), "netem's work" if how == "netem" else "the carrier's work"))
    dice = random.Random(SEED)
    for policy in (0, 1, 2, 3, 4, 5, 6, 7):
        image, options = pcap(packets), OPTIONS
        if policy:  # a receiver would refuse some of these: their timestamps are too old
            image, options = pcap(reordered(packets, dice)), dict(OPTIONS, policy=policy, strict=0)
        found = {}
        for stream in netfeat.streams(image, **options):
            if stream.server.port == PORT:
                found[stream.client.port, "client"] = stream.client_data
                found[stream.client.port, "server"] = stream.server_data
        wrong += compare(found, expected, "in another order, policy %d" % policy if policy else "recorded")
    return 1 if wrong else 0


sys.exit(main())
