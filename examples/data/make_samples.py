#!/usr/bin/env python3
"""Make the two sample captures beside this file. Needed only to make them anew: they are in the tree.

    make_samples.py scan      mirai_scan.pcap, by scapy, with a fixed seed: the same bytes each time
    make_samples.py benign    benign.pcapng, really captured between two network namespaces; needs root,
                              ip, nft, ping, ethtool, openssl and python3 (times and ports differ each time)

The scan imitates what the Mirai bot does: SYNs to random addresses, nine of ten to port 23 and the others to
2323, with the destination address as sequence number. A few targets answer; two of them give a login prompt.
The benign traffic is HTTP over IPv4 and IPv6, DNS, TLS and ping, with a few packets lost on the way, so that
there are retransmissions. All names and addresses are reserved for documentation or private use.
"""
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SCAN = HERE / "mirai_scan.pcap"
BENIGN = HERE / "benign.pcapng"


# ---- the scan ----

def random_target(rng):
    """An address that the bot would try: not private, not loopback, not multicast."""
    while True:
        a = rng.randrange(1, 224)
        if a not in (10, 127, 172, 192):
            return "%d.%d.%d.%d" % (a, rng.randrange(256), rng.randrange(256), rng.randrange(1, 255))


def scan_packets(rng):
    from scapy.all import ARP, ICMP, IP, TCP, Ether, Raw

    bots = [("02:00:00:00:10:%02x" % i, "192.168.1.%d" % i) for i in (23, 57, 101)]
    gateway = "02:00:00:00:00:fe"
    now = 1700000000.0

    def frame(when, upper, to_bot=None, bot=None):
        src, dst = (gateway, to_bot) if to_bot else (bot, gateway)
        packet = Ether(src=src, dst=dst) / upper
        packet.time = when
        return packet

    for mac, address in bots:
        arp = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=address, pdst="192.168.1.254")
        arp.time = now
        yield arp
        now += 0.0004
    for _ in range(3000):
        now += rng.expovariate(800.0)
        mac, address = rng.choice(bots)
        target = random_target(rng)
        port = 2323 if rng.randrange(10) == 0 else 23
        source_port = rng.randrange(1024, 65535)
        number = struct.unpack("!I", socket.inet_aton(target))[0]
        out = dict(sport=source_port, dport=port)
        back = dict(sport=port, dport=source_port)
        yield frame(now, IP(src=address, dst=target, id=rng.randrange(65536), ttl=64)
                    / TCP(flags="S", seq=number, window=rng.randrange(1, 65535), **out), bot=mac)
        fate = rng.random()
        later = now + rng.uniform(0.02, 0.2)
        if fate < 0.06:
            yield frame(later, IP(src=target, dst=address, ttl=52, id=0)
                        / TCP(flags="RA", seq=0, ack=number + 1 & 0xffffffff, window=0, **back), to_bot=mac)
        elif fate < 0.07:
            quoted = IP(src=address, dst=target, ttl=3) / TCP(flags="S", seq=number, **out)
            yield frame(later, IP(src="203.0.113.9", dst=address, ttl=60, id=rng.randrange(65536))
                        / ICMP(type=3, code=13) / Raw(bytes(quoted)[:28]), to_bot=mac)
        elif fate < 0.075:
            there = rng.randrange(1 << 32)
            yield frame(later, IP(src=target, dst=address, ttl=52, id=0)
                        / TCP(flags="SA", seq=there, ack=number + 1 & 0xffffffff, window=14600,
                              options=[("MSS", 1460)], **back), to_bot=mac)
            yield frame(later + 0.001, IP(src=address, dst=target, ttl=64, id=rng.randrange(65536))
                        / TCP(flags="A", seq=number + 1 & 0xffffffff, ack=there + 1 & 0xffffffff, **out), bot=mac)
            yield frame(later + 0.09, IP(src=target, dst=address, ttl=52, id=1)
                        / TCP(flags="PA", seq=there + 1 & 0xffffffff, ack=number + 1 & 0xffffffff, **back)
                        / Raw(b"\xff\xfd\x18\xff\xfd\x20login: "), to_bot=mac)
            yield frame(later + 0.12, IP(src=address, dst=target, ttl=64, id=rng.randrange(65536))
                        / TCP(flags="PA", seq=number + 1 & 0xffffffff, ack=there + 14 & 0xffffffff, **out)
                        / Raw(b"root\r\n"), bot=mac)
            yield frame(later + 0.21, IP(src=target, dst=address, ttl=52, id=2)
                        / TCP(flags="R", seq=there + 14 & 0xffffffff, window=0, **back), to_bot=mac)


def make_scan():
    from scapy.utils import PcapWriter

    packets = sorted(scan_packets(random.Random(20161021)), key=lambda p: p.time)
    writer = PcapWriter(str(SCAN), linktype=1, sync=True)
    for packet in packets:
        packet.time = round(float(packet.time), 6)
        writer.write(packet)
    writer.close()
    print("%s: %d packets" % (SCAN.name, len(packets)))


# ---- the benign traffic ----

CLIENT, SERVER = "sample-client", "sample-server"
ADDRESS = {CLIENT: "198.51.100.10", SERVER: "198.51.100.80"}
ADDRESS6 = {CLIENT: "2001:db8::10", SERVER: "2001:db8::80"}
MAC = {CLIENT: "02:00:00:00:00:10", SERVER: "02:00:00:00:00:80"}
SO_TIMESTAMPNS = 35


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def inside(namespace, *command):
    return ("ip", "netns", "exec", namespace) + command


def set_up():
    for name in (CLIENT, SERVER):
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "net0", "netns", CLIENT, "address", MAC[CLIENT], "type", "veth",
        "peer", "name", "net0", "netns", SERVER, "address", MAC[SERVER])
    for name in (CLIENT, SERVER):
        run(*inside(name, "ethtool", "-K", "net0", "tx", "off", "tso", "off", "gso", "off", "gro", "off"))
        run(*inside(name, "ip", "link", "set", "lo", "up"))
        run(*inside(name, "ip", "addr", "add", ADDRESS[name] + "/24", "dev", "net0"))
        run(*inside(name, "ip", "-6", "addr", "add", ADDRESS6[name] + "/64", "dev", "net0", "nodad"))
        run(*inside(name, "ip", "link", "set", "net0", "up"))
    # The client loses a part of what reaches it: seen as retransmissions by whoever captures at the server.
    run(*inside(CLIENT, "nft", "add table inet t; add chain inet t c { type filter hook input priority 0; }; "
                "add rule inet t c iif net0 numgen random mod 100 < 6 drop"))


def tear_down():
    for name in (CLIENT, SERVER):
        subprocess.run(("ip", "netns", "del", name), stderr=subprocess.DEVNULL)


class Capture(threading.Thread):
    """Every frame of a link, with nanosecond times, until told to stop."""

    def __init__(self, device):
        super().__init__()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((device, 0))
        self.socket.settimeout(0.2)
        self.frames = []
        self.done = False

    def run(self):
        while not self.done:
            try:
                data, extra, _, _ = self.socket.recvmsg(65536, 256)
            except socket.timeout:
                continue
            seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
            self.frames.append((seconds * 10**9 + nanoseconds, data))


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path, frames):
    """Section, one interface with if_tsresol 9, enhanced packet blocks; nothing about the machine."""
    with open(path, "wb") as out:
        out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        out.write(block(1, struct.pack("<HHI", 1, 0, 262144) + struct.pack("<HHBxxxHH", 9, 1, 9, 0, 0)))
        for when, data in frames:
            head = struct.pack("<IIIII", 0, when >> 32, when & 0xffffffff, len(data), len(data))
            out.write(block(6, head + data))


SERVE_HTTP = """
import http.server, socket, sys
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "www.example.test", 80
class Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version, protocol_version = "sample", "", "HTTP/1.1"
    def do_GET(self):
        body = (b"<p>%s</p>\\n" % self.path.encode()) * (90 * (1 + int(self.path.rsplit("/", 1)[1])))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
Server(("::", 80), Handler).serve_forever()
"""

SERVE_DNS = """
import socket, struct
answers = {1: bytes((198, 51, 100, 80)), 28: bytes.fromhex("20010db8000000000000000000000080")}
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.80", 53))
while True:
    query, peer = s.recvfrom(512)
    end = query.index(0, 12) + 5
    kind = struct.unpack("!H", query[end - 4:end - 2])[0]
    known = query[12:end].lower().startswith(b"\\x03www\\x07example\\x04test") and kind in answers
    reply = query[:2] + (b"\\x84\\x00" if known else b"\\x84\\x03") + struct.pack("!4H", 1, int(known), 0, 0) + query[12:end]
    if known:
        reply += b"\\xc0\\x0c" + struct.pack("!HHIH", kind, 1, 300, len(answers[kind])) + answers[kind]
    s.sendto(reply, peer)
"""

CLIENT_SIDE = """
import http.client, random, socket, ssl, struct, time
rng = random.Random(7)
def ask(name, kind):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.4)
    labels = b"".join(bytes((len(l),)) + l.encode() for l in name.split(".")) + b"\\0"
    for _ in range(4):
        s.sendto(struct.pack("!6H", rng.randrange(65536), 0x100, 1, 0, 0, 0) + labels + struct.pack("!HH", kind, 1),
                 ("198.51.100.80", 53))
        try:
            return s.recv(512)
        except socket.timeout:
            pass
def fetch(host, path):
    c = http.client.HTTPConnection(host, 80, timeout=20)
    for p in path:
        c.putrequest("GET", p, skip_host=True, skip_accept_encoding=True)
        c.putheader("Host", "www.example.test")
        c.putheader("User-Agent", "sample")
        c.endheaders()
        c.getresponse().read()
        time.sleep(0.02)
    c.close()
def secure(host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, 443), 20) as raw:
        with context.wrap_socket(raw, server_hostname="www.example.test") as s:
            s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            while s.recv(4096):
                pass
for turn in range(16):
    for name in ("www.example.test", "mail.example.test"):
        ask(name, 1)
        ask(name, 28)
    fetch(("198.51.100.80", "2001:db8::80")[turn % 2], ["/a/%d" % turn, "/b/%d" % rng.randrange(8)])
    secure("198.51.100.80")
    time.sleep(0.05)
"""


def exchange(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=www.example.test",
        "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem")
    servers = [
        ("python3", "-c", SERVE_HTTP),
        ("python3", "-c", SERVE_DNS),
        ("openssl", "s_server", "-quiet", "-accept", "443", "-cert", folder + "/cert.pem", "-key", folder + "/key.pem",
         "-www"),
    ]
    running = [subprocess.Popen(inside(SERVER, *s), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) for s in servers]
    try:
        time.sleep(1.0)
        subprocess.run(inside(CLIENT, "ping", "-c", "3", "-i", "0.2", ADDRESS[SERVER]), stdout=subprocess.DEVNULL)
        run(*inside(CLIENT, "python3", "-c", CLIENT_SIDE))
    finally:
        for process in running:
            process.terminate()
            process.wait()


def make_benign():
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    tear_down()
    try:
        set_up()
        with open("/run/netns/" + SERVER) as there:
            enter(there.fileno())
        capture = Capture("net0")
        enter(here)
        capture.start()
        with tempfile.TemporaryDirectory() as folder:
            exchange(folder)
        time.sleep(0.5)
        capture.done = True
        capture.join()
    finally:
        tear_down()
    write_pcapng(BENIGN, sorted(capture.frames, key=lambda f: f[0]))
    print("%s: %d packets" % (BENIGN.name, len(capture.frames)))


def enter(descriptor):
    """Move this thread into another network namespace; sockets made there stay there."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


if __name__ == "__main__":
    makers = {"scan": make_scan, "benign": make_benign}
    if len(sys.argv) != 2 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    makers[sys.argv[1]]()
