"""The notebook's steps: each helper gives what the notebook's own cell gives."""

import ipaddress
import pathlib
import sys
import unittest

try:
    import numpy
    import pandas
except ImportError as problem:
    print("skipped:", problem)
    sys.exit(77)

import netfeat
from netfeat import notebook

DATA = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"


def ip_to_numeric(text):
    """As the notebook has it."""
    try:
        return int(ipaddress.ip_interface(text).network.network_address)
    except ValueError:
        return 0


class Steps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = notebook.pcap_to_dataframe(str(DATA / "benign.pcapng"))
        cls.frame, cls.dropped = notebook.drop_incomplete(cls.whole)

    def same(self, ours, theirs, tolerance=0):
        pandas.testing.assert_series_equal(ours, theirs, check_names=False, rtol=tolerance, atol=tolerance,
                                           check_exact=tolerance == 0)

    def test_drop_incomplete(self):
        wanted = self.whole.dropna(subset=["Source IP", "Destination IP", "Source Port", "Destination Port"])
        pandas.testing.assert_frame_equal(self.frame, wanted)
        self.assertEqual(self.dropped, len(self.whole) - len(wanted))
        self.assertGreater(self.dropped, 0)
        self.assertEqual(notebook.drop_incomplete(self.whole, ["Packet Length"])[1], 0)

    def test_total_bytes(self):
        for by in ("Source IP", "Destination IP"):
            self.same(notebook.total_bytes(self.frame, by), self.frame.groupby(by)["Packet Length"].cumsum())
            self.same(notebook.total_bytes(self.whole, by), self.whole.groupby(by)["Packet Length"].cumsum())

    def test_numeric_address(self):
        texts = pandas.Series(["10.0.0.1", "nobody", None, "2001:db8::1", "10.0.0.1", "ff::", "192.168.1.9/24"],
                              [9, 8, 7, 6, 5, 4, 3])
        self.assertEqual(notebook.numeric_address(texts).tolist(), [ip_to_numeric(text) for text in texts])
        self.assertEqual(notebook.numeric_address(texts).tolist()[:3], [0x0a000001, 0, 0])
        for name in ("Source IP", "Destination IP"):
            self.same(notebook.numeric_address(self.frame[name]), self.frame[name].apply(ip_to_numeric))

    def test_frequency_encoding(self):
        for ports in (self.frame["Destination Port"], self.whole["Destination Port"]):
            shares = ports.value_counts(normalize=True).to_dict()
            encoded, mapping = notebook.frequency_encoding(ports)
            self.assertEqual(mapping, shares)
            self.assertEqual(list(mapping.values()), sorted(mapping.values(), reverse=True))
            self.same(encoded, ports.map(shares))

    def test_times(self):
        exact = self.frame["Timestamp"]
        self.same(notebook.seconds(exact), exact.map(lambda time: int(time * 10**9)) / 10**9)
        self.same(notebook.seconds(exact.astype("f8")), exact.astype("f8"), 1e-6)
        gaps = notebook.interarrival(exact)
        self.assertTrue(numpy.isnan(gaps.iloc[0]))
        self.same(gaps, notebook.seconds(exact).diff())
        back = pandas.Series([1.5, 1.25, numpy.nan, 3.0])
        self.assertEqual(notebook.interarrival(back).fillna(-9).tolist()[:3], [-9, -0.25, -9])

    def test_one_hot_ports(self):
        names = netfeat.ports("notebook")
        network_protocols = dict(zip(names["value"].to_list(), names["name"].to_list()))
        ports = pandas.Series([80, 23, 132, 135, 443, 1] + list(network_protocols))
        wanted = pandas.DataFrame()
        for port, name in network_protocols.items():  # the last entry of a name stays: SCTP is there twice
            wanted[name] = ports.apply(lambda value, port=port: 1 if value == port else 0)
        flags = notebook.one_hot_ports(ports)
        pandas.testing.assert_frame_equal(flags, wanted)
        self.assertEqual((len(network_protocols), flags["SCTP"].tolist()[2:4]), (27, [0, 1]))
        self.assertEqual(set(flags.dtypes), {numpy.dtype("i8")})
        self.assertEqual(notebook.one_hot_ports(self.whole["Destination Port"]).shape, (len(self.whole), flags.shape[1]))

    def test_describe(self):
        frame = self.frame.assign(seconds=notebook.seconds(self.frame["Timestamp"]))
        ours, theirs = notebook.describe(frame), frame.describe()
        self.assertEqual((list(ours.index), list(ours.columns)), (list(theirs.index), list(theirs.columns)))
        numpy.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-9)

    def test_empty(self):
        nothing = self.frame.iloc[:0]
        self.assertEqual(len(notebook.total_bytes(nothing)), 0)
        self.assertEqual(len(notebook.numeric_address(nothing["Source IP"])), 0)
        self.assertEqual(notebook.frequency_encoding(nothing["Destination Port"])[1], {})
        self.assertEqual(len(notebook.interarrival(nothing["Timestamp"])), 0)
        self.assertEqual(len(notebook.one_hot_ports(nothing["Destination Port"])), 0)


if __name__ == "__main__":
    unittest.main()
