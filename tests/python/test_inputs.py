"""Several files, directories, patterns, compressed captures; pushed packets; what captures say beside packets."""

import bz2
import gzip
import lzma
import os
import struct
import tempfile
import time
import unittest

import netfeat
import support

#: A build may lack the libraries: then the test reads what is not compressed.
BUILD_HAS = netfeat._ffi.C.build_has


def plain(data):
    return data


GZIP = gzip.compress if BUILD_HAS(b"zlib") else plain
XZ = lzma.compress if BUILD_HAS(b"xz") else plain
BZIP2 = bz2.compress if BUILD_HAS(b"bzip2") else plain
PACKET = support.ethernet(support.ipv4(support.udp(b"x"), 17))


def numbers(table):
    return list(zip(table["file_index"].to_list(), table["packet_number"].to_list()))


class Files(unittest.TestCase):
    """a: seconds 0, 2, 4 ...; b.gz: 1, 3, 5 ...; c.xz: both from 10 on."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.paths = [self.write("a.pcap", self.capture(range(0, 40, 2))),
                      self.write("b.pcap.gz", GZIP(self.capture(range(1, 41, 2)))),
                      self.write("c.pcap.xz", XZ(self.capture(range(10, 20))))]
        self.write(".hidden", b"no capture")
        os.mkdir(os.path.join(self.directory, "d"))

    @staticmethod
    def capture(seconds):
        parts = [support.pcap([])]
        for second in seconds:
            parts.append(struct.pack("<IIII", second, 0, len(PACKET), len(PACKET)) + PACKET)
        return b"".join(parts)

    def write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_directories_and_patterns(self):
        whole = support.columns_of(netfeat.read(self.paths))
        self.assertEqual(numbers(netfeat.read(self.paths)),
                         [(i, k + 1) for i, n in enumerate((20, 20, 10)) for k in range(n)])
        self.assertEqual(support.columns_of(netfeat.read(self.directory)), whole)
        self.assertEqual(support.columns_of(netfeat.read(os.path.join(self.directory, "?.pcap*"))), whole)
        self.assertEqual(len(netfeat.read([os.path.join(self.directory, "*.gz"), self.paths[2]])), 30)
        self.assertEqual(sum(len(table) for table in netfeat.batches(self.directory, 7)), 50)
        with netfeat.Source(self.directory) as source:
            self.assertEqual(source.files, self.paths)
            self.assertEqual(support.columns_of(source.read()), whole)
            self.assertTrue(source.ended)
        for nothing in (os.path.join(self.directory, "d"), os.path.join(self.directory, "*.none")):
            with self.assertRaises(FileNotFoundError) as caught:
                netfeat.read(nothing)
            self.assertIsInstance(caught.exception, netfeat.NotFoundError)
            self.assertEqual(caught.exception.path, nothing)

    def test_merge(self):
        table = netfeat.read(self.paths, merge=True)
        times = table["timestamp"].to_list()
        self.assertEqual(len(table), 50)
        self.assertEqual(times, sorted(times))
        self.assertEqual(sorted(numbers(table)), sorted(numbers(netfeat.read(self.paths))))
        self.assertEqual(table["file_index"].to_list()[:12], [0, 1] * 5 + [0, 2])
        joined = netfeat.concat(list(netfeat.batches(self.directory, 9, merge=True)))
        self.assertEqual(support.columns_of(joined), support.columns_of(table))
        with netfeat.Source(self.directory, merge=True) as source:
            self.assertEqual(numbers(source.read()), numbers(table))
        with self.assertRaises(TypeError):
            netfeat.read([self.paths[0], support.pcap([])], merge=True)

    def test_damage_in_one_file(self):
        self.write("b.pcap.gz", GZIP(self.capture(range(1, 41, 2)))[:-9])
        rows = 50 if BUILD_HAS(b"zlib") else 49
        with self.assertRaises(netfeat.TruncatedError) as caught:
            netfeat.read(self.paths, merge=True)
        self.assertIn("b.pcap.gz", str(caught.exception))
        self.assertEqual(len(caught.exception.table), rows, "gzip lacks only the check sum behind the last packet")
        table = netfeat.read(self.paths, merge=True, on_error="keep")
        self.assertEqual((len(table), len(table.errors)), (rows, 1))

    def test_compressed(self):
        data = self.capture(range(3000))
        want = support.columns_of(netfeat.read(data))
        for compress in (GZIP, BZIP2, XZ):
            self.assertEqual(support.columns_of(netfeat.read(compress(data))), want)
            path = self.write("e", compress(data[:999]) + compress(data[999:]))
            self.assertEqual(support.columns_of(netfeat.read(path)), want)


class Pushed(unittest.TestCase):
    def test_packets_and_tables(self):
        source = netfeat.PushSource(1, columns="packet_number,timestamp,dst_port,frame_length")
        self.assertEqual(len(source.read()), 0)
        self.assertFalse(source.ended)
        self.assertTrue(source.push(5, PACKET))
        self.assertEqual(source.push_batch([6, 7], [PACKET, bytearray(PACKET)], [1000, 2000]), 2)
        table = source.read(2)
        self.assertEqual(table["timestamp"].to_list(), [5, 6])
        self.assertEqual(table["frame_length"].to_list(), [len(PACKET), 1000])
        source.push_batch([8] * 100, [PACKET] * 100)
        self.assertEqual([len(t) for t in source.batches(30)], [30, 30, 30, 11])
        source.push(9, PACKET)
        packet = next(source)
        self.assertEqual((packet.number, packet.time_ns, packet.data), (104, 9, PACKET))
        with self.assertRaises(StopIteration):
            next(source)
        source.end()
        self.assertEqual(len(source.read()), 0)
        self.assertTrue(source.ended)
        with self.assertRaises(netfeat.StateError):
            source.push(10, PACKET)
        with self.assertRaises(ValueError):
            source.push_batch([1], [PACKET, PACKET])

    def test_filters_and_bounds(self):
        source = netfeat.PushSource(filter="arp", queue_packets=3)
        self.assertEqual(source.push_batch([1] * 5, [PACKET] * 5), 3)
        with self.assertRaises(netfeat.LimitError):
            source.push(1, PACKET)
        self.assertEqual(len(source.read()), 0)
        self.assertEqual(source.counters["filtered"], 3)
        source = netfeat.PushSource(queue_packets=3, queue_drop=True)
        self.assertEqual([source.push(1, PACKET) for _ in range(4)], [True, True, True, False])
        self.assertEqual(source.counters["queue_dropped"], 1)


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(kind, value):
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


class Notes(unittest.TestCase):
    def test_interfaces_and_notes(self):
        data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, b"program"))
        data += block(1, struct.pack("<HHI", 1, 0, 96) + option(2, b"eth7") + option(3, b"uplink"))
        data += block(6, struct.pack("<IIIII", 0, 0, 1, 4, 4) + b"abcd" + option(1, "grüße".encode()))
        data += block(4, option(1, bytes([192, 0, 2, 7]) + b"host.example\0") + option(0, b""))
        data += block(5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 12)))
        source = netfeat.Source(data, max_notes=10)
        self.assertEqual(len(source.read()), 1)
        self.assertEqual(source.interfaces, [("eth7", "uplink", 1, 96, None, 12)])
        self.assertEqual(source.notes(), [("application", "program", None, 0, None),
                                          ("packet comment", "grüße", 1, 0, None),
                                          ("name", "host.example", None, 0, "192.0.2.7")])
        self.assertEqual(source.notes(), [])


class Live(unittest.TestCase):
    def test_devices(self):
        with self.assertRaises(TypeError):
            netfeat.Source()
        with self.assertRaises(TypeError):
            netfeat.Source(b"", live="lo")
        with self.assertRaises((netfeat.NotFoundError, netfeat.UnsupportedError, netfeat.AccessError)):
            netfeat.Source(live="no such device")
        try:
            source = netfeat.Source(live="lo", filter="udp port 9", wait_ms=200)
        except (netfeat.NotFoundError, netfeat.UnsupportedError, netfeat.AccessError) as problem:
            self.skipTest(str(problem))
        self.assertEqual(source.interfaces[0].name, "lo")
        began = time.monotonic()
        self.assertEqual(len(source.read(5)), 0, "nothing came in time")
        self.assertLess(time.monotonic() - began, 60)
        self.assertFalse(source.ended)


if __name__ == "__main__":
    support.main()
