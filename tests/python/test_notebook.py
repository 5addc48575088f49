"""netfeat.notebook: the rules of the notebook's frames, value by value."""

import decimal
import os
import tempfile
import unittest
import warnings

import netfeat
import support

if support.pandas is None:
    raise SystemExit(support.SKIPPED)
pandas = support.pandas

from netfeat.notebook import pcap_to_dataframe  # noqa: E402  # pylint: disable=wrong-import-position

COLUMNS = ["Timestamp", "Source IP", "Destination IP", "Source Port", "Destination Port", "Payload", "Packet Length",
           "Protocol"]


def values(series):
    return [None if value is None or value != value else value for value in series.tolist()]


class Notebook(unittest.TestCase):
    def setUp(self):
        self.packets = support.mixed_packets()

    def frame(self, **arguments):
        return pcap_to_dataframe(support.pcap(self.packets), **arguments)

    def test_columns(self):
        frame = self.frame()
        self.assertEqual(frame.columns.tolist(), COLUMNS)
        self.assertEqual(values(frame["Source IP"]), ["10.0.0.1", "10.0.0.3", "10.0.0.1", None, "2001:db8::1",
                                                      "2001:db8::1", "10.0.0.1", None, "10.0.0.2"])
        self.assertEqual(values(frame["Destination Port"]), [80, 53, None, None, 80, None, None, None, 80])
        self.assertEqual(values(frame["Protocol"]), [6, 17, 1, None, 6, 58, 17, None, 6])
        self.assertEqual(values(frame["Payload"]), [b"hello", b"query", b"ping", None, b"six", None, None, None, b""])
        lengths = [len(packet) for packet in self.packets]
        self.assertEqual(values(frame["Packet Length"]),
                         [25, 17, 12, lengths[3], 23, lengths[5], lengths[6], lengths[7], 26])

    def test_without_ipv6(self):
        frame = self.frame(ipv6=False)
        self.assertEqual(values(frame["Source IP"])[4:6], [None, None])
        self.assertEqual(values(frame["Destination IP"])[4:6], [None, None])
        self.assertEqual(values(frame["Protocol"])[4:6], [None, None])
        self.assertEqual(values(frame["Source Port"])[4:6], [40000, None])
        self.assertEqual(values(frame["Packet Length"]), values(self.frame()["Packet Length"]))

    def test_types(self):
        types = {name: str(dtype) for name, dtype in self.frame().dtypes.items()}
        self.assertEqual(types, {"Timestamp": "object", "Source IP": "object", "Destination IP": "object",
                                 "Source Port": "float64", "Destination Port": "float64", "Payload": "object",
                                 "Packet Length": "int64", "Protocol": "float64"})
        self.packets = self.packets[:2]
        types = {name: str(dtype) for name, dtype in self.frame().dtypes.items()}
        self.assertEqual([types[name] for name in ("Source Port", "Destination Port", "Protocol")], ["int64"] * 3)
        self.packets = [support.ethernet(support.arp(), 0x0806)]
        self.assertEqual(str(self.frame()["Source Port"].dtype), "float64")
        self.packets = []
        self.assertEqual(self.frame().shape, (0, 8))

    def test_timestamps(self):
        frame = self.frame()
        first = frame["Timestamp"][0]
        self.assertIsInstance(first, decimal.Decimal)
        self.assertEqual(first.to_eng_string(), "1700000000.123456")
        self.assertAlmostEqual(pandas.to_datetime(first.to_eng_string(), unit="s").value, 1700000000123456000, delta=500)
        exact = pcap_to_dataframe(support.pcap(self.packets, nanoseconds=True))["Timestamp"]
        self.assertEqual([str(value) for value in exact[:2]], ["1700000000.000123456", "1700000001.000123457"])
        with decimal.localcontext(decimal.Context(prec=3)):  # the caller's precision does not matter
            self.assertEqual(str(self.frame()["Timestamp"][0]), "1700000000.123456")

    def test_long_icmp(self):
        """Timestamp and address mask messages have more header than 8 bytes."""
        self.packets = [support.ethernet(support.ipv4(support.icmp(b"0123456789abcdef", kind), 1))
                        for kind in (0, 13, 14, 17, 18)]
        self.assertEqual(values(self.frame()["Payload"]),
                         [b"0123456789abcdef", b"cdef", b"cdef", b"456789abcdef", b"456789abcdef"])

    def test_quoted_headers_do_not_count(self):
        quoted = support.ipv4(support.udp(b"lost"), 17)
        self.packets = [support.ethernet(support.ipv4(support.icmp(quoted, 3), 1))]
        frame = self.frame()
        self.assertEqual(values(frame["Source Port"]), [None])
        self.assertEqual(values(frame["Payload"]), [quoted])

    def test_other_ports_do_not_count(self):
        """SCTP has ports in the packet table, not in the notebook."""
        sctp = bytes.fromhex("1f901f91") + bytes(28)
        self.packets = [support.ethernet(support.ipv4(sctp, 132))]
        self.assertEqual(netfeat.read(support.pcap(self.packets))["src_port"].to_list(), [8080])
        frame = self.frame()
        self.assertEqual(values(frame["Source Port"]), [None])
        self.assertEqual(values(frame["Payload"]), [None])
        self.assertEqual(values(frame["Packet Length"]), [len(self.packets[0])])

    def test_the_notebook_goes_on(self):
        """The first steps of the notebook run on the frame."""
        frame = self.frame()
        features = frame.dropna(subset=["Source IP", "Destination IP", "Source Port", "Destination Port"]).copy()
        self.assertEqual(len(features), 4)
        features["total"] = features.groupby("Source IP")["Packet Length"].cumsum()
        self.assertEqual(features["total"].tolist(), [25, 17, 23, 26])
        self.assertEqual(features["Destination Port"].value_counts(normalize=True).to_dict(), {80: 0.75, 53: 0.25})
        with tempfile.TemporaryDirectory() as directory:
            frame.to_pickle(os.path.join(directory, "frame.pkl"))
            pandas.testing.assert_frame_equal(pandas.read_pickle(os.path.join(directory, "frame.pkl")), frame)

    def test_damage_is_said(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            frame = pcap_to_dataframe(support.pcap(self.packets)[:-5])
        self.assertEqual(len(frame), 8)
        self.assertEqual(len(caught), 1)
        self.assertIn("packet 9", str(caught[0].message))
        self.assertRaises(FileNotFoundError, pcap_to_dataframe, "/nonexistent.pcap")


if __name__ == "__main__":
    support.main()
