"""Byte streams from Python: whole streams, events, the table of streams."""

import hashlib
import unittest

import netfeat
import support

BENIGN = support.ROOT / "examples" / "data" / "benign.pcapng"


class Streams(unittest.TestCase):
    def test_http(self):
        found = [s for s in netfeat.streams(str(BENIGN)) if s.server.port == 80]
        self.assertTrue(found)
        for stream in found:
            self.assertTrue(stream.client_data.startswith(b"GET "), stream)
            self.assertTrue(stream.server_data.startswith(b"HTTP/1."), stream)
            self.assertEqual((stream.gaps, stream.reason, stream.protocol), ([], "fin", 6))
            form = "[%s]:%d" if ":" in stream.client.address else "%s:%d"
            self.assertEqual(str(stream.client), form % stream.client)
            self.assertLessEqual(stream.start_ns, stream.end_ns)

    def test_events_add_up_to_the_streams(self):
        sums = {}
        for event in netfeat.stream_events(str(BENIGN)):
            if event.kind == "data":
                digest = sums.setdefault((event.stream.id, event.side), [hashlib.sha256(), 0])
                self.assertEqual(event.offset, digest[1])
                digest[0].update(event.data)
                digest[1] += event.size
        count = 0
        for stream in netfeat.streams(str(BENIGN)):
            for side, data in (("client", stream.client_data), ("server", stream.server_data)):
                if data:
                    count += 1
                    self.assertEqual(hashlib.sha256(data).digest(), sums.pop((stream.id, side))[0].digest())
        self.assertEqual(sums, {})
        self.assertGreater(count, 10)

    def test_first_packet_joins_the_packet_table(self):
        packets = netfeat.read(str(BENIGN))
        ports = packets["src_port"].to_list(), packets["dst_port"].to_list()
        for stream in netfeat.streams(str(BENIGN)):
            row = stream.first_packet - 1
            self.assertEqual({ports[0][row], ports[1][row]}, {stream.client.port, stream.server.port})

    def test_options(self):
        short = list(netfeat.streams(str(BENIGN), depth_bytes=10))
        self.assertTrue(all(len(s.client_data) <= 10 and len(s.server_data) <= 10 for s in short))
        with_udp = [s for s in netfeat.streams(str(BENIGN), udp=1) if s.protocol == 17]
        self.assertTrue(with_udp)
        self.assertTrue(any(s.client_data and s.server_data for s in with_udp))
        with self.assertRaises(TypeError):
            list(netfeat.streams(str(BENIGN), depth=10))

    def test_table(self):
        table = netfeat.stream_table(str(BENIGN))
        streams = sorted(netfeat.streams(str(BENIGN)), key=lambda s: s.id)
        self.assertEqual(table["stream_id"].to_list(), [s.id for s in streams])
        self.assertEqual(table["first_packet"].to_list(), [s.first_packet for s in streams])

    def test_a_cut_capture_ends_in_its_error_after_all_else(self):
        with open(BENIGN, "rb") as file:
            data = file.read()[:200001]
        events = netfeat.stream_events(data)
        seen = 0
        with self.assertRaises(netfeat.TruncatedError) as caught:
            for _ in events:
                seen += 1
        self.assertGreater(seen, 10)
        self.assertGreater(caught.exception.packet, 10)


if __name__ == "__main__":
    support.main()
