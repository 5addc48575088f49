"""Table.to_pandas(): types, missing values, addresses, sharing."""

import unittest

import numpy

import netfeat
import support

if support.pandas is None:
    raise SystemExit(support.SKIPPED)
pandas = support.pandas


class Frames(unittest.TestCase):
    def setUp(self):
        self.table = netfeat.read(support.pcap(support.mixed_packets()), payload=True)

    def test_plain(self):
        frame = self.table.to_pandas()
        self.assertEqual(frame.shape, (9, len(self.table.columns)))
        self.assertEqual(list(frame.columns), self.table.columns)
        wanted = {"packet_number": "uint64", "timestamp": "datetime64[ns]", "src_port": "float64", "src_ip": "object",
                  "payload": "object", "tcp_sack_permitted": "object", "frame_length": "uint32"}
        self.assertEqual({name: str(frame[name].dtype) for name in wanted}, wanted)
        self.assertEqual(frame.src_ip.tolist()[:4], ["10.0.0.1", "10.0.0.3", "10.0.0.1", None])
        self.assertEqual(frame.src_port.dropna().tolist(), [40000] * 4)
        self.assertEqual(frame.src_port.isna().tolist(), [False, False, True, True, False, True, True, True, False])
        self.assertEqual(frame.payload[0], b"hello")
        self.assertIsNone(frame.payload[3])
        self.assertEqual(frame.tcp_sack_permitted[0], False)
        self.assertIsNone(frame.tcp_sack_permitted[1])
        self.assertEqual(frame.timestamp[0], pandas.Timestamp("2023-11-14 22:13:20.123456"))
        complete = self.table.complete_rows(["src_port"]).to_pandas()
        self.assertEqual(str(complete.src_port.dtype), "uint16")

    def test_nullable(self):
        frame = self.table.to_pandas(nullable=True)
        wanted = {"packet_number": "UInt64", "timestamp": "datetime64[ns]", "src_port": "UInt16", "tcp_seq": "UInt32",
                  "ip_ttl": "UInt8", "tcp_sack_permitted": "boolean", "src_ip": "object"}
        self.assertEqual({name: str(frame[name].dtype) for name in wanted}, wanted)
        self.assertEqual(frame.dst_port.tolist()[:3], [80, 53, pandas.NA])
        floats = netfeat.table({"f": numpy.array([1.5, 2.5])}).to_pandas(nullable=True)
        self.assertEqual(str(floats.f.dtype), "Float64")
        big = netfeat.read(support.pcap([b"x" * 20] * 2)).to_pandas(nullable=True)
        self.assertEqual(str(big.tunnel_id.dtype), "UInt64")

    def test_addresses(self):
        frame = self.table.to_pandas(addresses="category")
        self.assertEqual(str(frame.src_ip.dtype), "category")
        self.assertEqual(frame.src_ip.cat.categories.tolist(), ["10.0.0.1", "10.0.0.3", "2001:db8::1", "10.0.0.2"])
        self.assertEqual(frame.src_ip.astype(object).where(frame.src_ip.notna(), None).tolist(),
                         self.table["src_ip"].to_list())
        frame = self.table.to_pandas(addresses="bytes")
        self.assertEqual(frame.src_ip[0], bytes(10) + b"\xff\xff\x0a\0\0\1")
        self.assertEqual(frame.src_mac[0], bytes.fromhex("020000000002"))
        self.assertIsNone(frame.src_ip[3])
        self.assertRaises(ValueError, self.table.to_pandas, addresses="objects")

    def test_sharing(self):
        numbers = self.table["packet_number"].to_numpy()
        self.assertFalse(numpy.shares_memory(self.table.to_pandas().packet_number.to_numpy(), numbers))
        self.assertTrue(numpy.shares_memory(self.table.to_pandas(copy=False).packet_number.to_numpy(), numbers))
        frame = self.table.to_pandas()
        frame.loc[0, "frame_length"] = 1  # a copy may be written to
        self.assertEqual(frame.frame_length[0], 1)
        self.assertNotEqual(self.table["frame_length"].to_list()[0], 1)

    def test_no_rows(self):
        for nullable in (False, True):
            for addresses in ("text", "category", "bytes"):
                frame = self.table[3:3].to_pandas(nullable=nullable, addresses=addresses)
                self.assertEqual(frame.shape, (0, len(self.table.columns)))

    def test_time_without_value(self):
        """A simple packet block has no time: NaT."""
        import struct
        packet = support.ethernet(support.arp(), 0x0806)
        packet += bytes(-len(packet) % 4)
        blocks = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        blocks += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
        blocks += struct.pack("<III", 3, 16 + len(packet), len(packet)) + packet + struct.pack("<I", 16 + len(packet))
        table = netfeat.read(blocks)
        self.assertEqual(table["timestamp"].to_list(), [None])
        self.assertTrue(table.to_pandas().timestamp.isna().all())
        self.assertEqual(str(table.to_pandas(copy=False).timestamp.dtype), "datetime64[ns]")


if __name__ == "__main__":
    support.main()
