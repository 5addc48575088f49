"""Flows from Python, and the notebook's extract_streams against pandas."""

import decimal
import pathlib
import re
import tempfile
import unittest

import numpy

import netfeat
import support
from netfeat import notebook

KEYS = ["Source IP", "Destination IP", "Source Port", "Destination Port", "Protocol"]
BENIGN = support.ROOT / "examples" / "data" / "benign.pcapng"
SCAN = support.ROOT / "examples" / "data" / "mirai_scan.pcap"


def grouped(frame):
    """extract_streams as pandas does it, slowly."""
    groups = frame.groupby(KEYS)
    out = groups["Packet Length"].agg(["count", "sum"])
    out.columns = ["Number of Packets", "Total Length"]
    out["Duration"] = groups["Timestamp"].agg(lambda times: float(max(times) - min(times))).astype("f8")
    return out.reset_index()


@support.needs_pandas
class Streams(unittest.TestCase):
    def test_equal_pandas(self):
        import pandas
        for path in (BENIGN, SCAN):
            frame = notebook.pcap_to_dataframe(str(path))
            for part in (frame, frame.dropna(subset=KEYS), frame[::3], frame[frame["Protocol"] == 17]):
                pandas.testing.assert_frame_equal(notebook.extract_streams(part), grouped(part))

    def test_of_a_table_equal_those_of_the_frame(self):
        import pandas
        table = netfeat.read(str(BENIGN))
        want = notebook.extract_streams(notebook.pcap_to_dataframe(str(BENIGN)))
        pandas.testing.assert_frame_equal(notebook.extract_streams(table), want, check_dtype=False)

    def test_addresses_sort_as_text_and_keys_may_be_missing(self):
        import pandas
        frame = pandas.DataFrame({
            "Timestamp": [decimal.Decimal("1.5"), decimal.Decimal("1.25"), decimal.Decimal(3), decimal.Decimal(4)],
            "Source IP": ["10.0.0.9", "10.0.0.10", "10.0.0.9", None], "Destination IP": ["::1", "::1", "::1", "::1"],
            "Source Port": [1.0, 2.0, 1.0, numpy.nan], "Destination Port": [3.0] * 4,
            "Packet Length": [10, 20, 30, 40], "Protocol": [6, 6, 6, 6]})
        streams = notebook.extract_streams(frame)
        self.assertEqual(streams["Source IP"].tolist(), ["10.0.0.10", "10.0.0.9"])
        self.assertEqual(streams["Duration"].tolist(), [0.0, 1.5])
        self.assertEqual(streams["Total Length"].tolist(), [20, 40])
        pandas.testing.assert_frame_equal(streams, grouped(frame))

    def test_empty(self):
        frame = notebook.pcap_to_dataframe(str(SCAN)).head(0)
        self.assertEqual(len(notebook.extract_streams(frame)), 0)


class Flows(unittest.TestCase):
    def test_batches_give_the_same_flows(self):
        whole = netfeat.flows(str(BENIGN))
        engine = netfeat.Flows()
        rows = 0
        for batch in netfeat.batches(str(BENIGN), rows=100):
            ids = engine.feed(batch)
            self.assertEqual(len(ids), len(batch))
            rows += len(batch)
        again = engine.end().take()
        self.assertEqual({n: again[n].to_list() for n in again.columns}, {n: whole[n].to_list() for n in whole.columns})
        self.assertEqual(engine.counters["packets"], rows)
        self.assertEqual(engine.counters["accounted"] + engine.counters["left_out"], rows)

    def test_state_goes_through_a_table(self):
        table = netfeat.read(str(BENIGN))
        half = len(table) // 2
        engine = netfeat.Flows()
        engine.feed(table[:half])
        loaded = netfeat.Flows.from_table(engine.to_table())
        for one in (engine, loaded):
            one.feed(table[half:])
        first, second = engine.end().take(), loaded.end().take()
        self.assertEqual({n: first[n].to_list() for n in first.columns}, {n: second[n].to_list() for n in second.columns})

    def test_profiles(self):
        self.assertEqual(netfeat.flow_profiles()[0], "flows")
        for profile in netfeat.flow_profiles():
            columns = netfeat.flow_columns(profile)
            self.assertTrue(columns and all(column.help and column.null_rule for column in columns), profile)
            flows = netfeat.flows(str(BENIGN), profile=profile, columns="*")
            self.assertEqual(len(flows.columns), len(columns))
            self.assertGreater(len(flows), 0)
        with self.assertRaises(netfeat.NotFoundError):
            netfeat.Flows(profile="nothing")

    def test_one_way(self):
        table = netfeat.read(str(SCAN))
        one = netfeat.flows_one_way(table)
        other = netfeat.flows(table, profile="notebook")
        self.assertEqual({n: one[n].to_list() for n in one.columns}, {n: other[n].to_list() for n in other.columns})

    def test_pings(self):
        """Request and reply are one flow; another identifier is another one."""
        there, back = (10, 0, 0, 1), (10, 0, 0, 2)
        packets = [support.ethernet(support.ipv4(support.icmp(b"ping", kind, identifier), 1, *ends))
                   for identifier in (7, 9) for kind, ends in ((8, (there, back)), (0, (back, there)))]
        flows = netfeat.flows(support.pcap(packets))
        self.assertEqual(flows["fwd_packets"].to_list(), [1, 1])
        self.assertEqual(flows["bwd_packets"].to_list(), [1, 1])
        self.assertEqual(flows["icmp_type"].to_list(), [8, 8])

    def test_live(self):
        """Without traffic, expire() ends flows by the caller's clock."""
        table = netfeat.read(str(BENIGN))
        last = max(time for time in table["timestamp"].to_list() if time is not None)
        engine = netfeat.Flows(idle_ns=10**9, active_ns=0)
        engine.feed(table)
        engine.take()
        still = engine.counters["open"]
        self.assertGreater(still, 0)
        self.assertEqual(engine.expire(last - 10**10), 0)
        self.assertEqual(engine.expire(last + 10**10), still)
        self.assertEqual(engine.counters["open"], 0)
        reasons = set(engine.take()["end_reason"].to_list())
        self.assertTrue(reasons <= {2, 4, 5}, reasons)  # idle, or FIN or RST long ago

    def test_rows_join_their_flows(self):
        """Counted by flow_id, the packets give the flows again, wherever those were cut, evicted or continued."""
        table = netfeat.read(str(BENIGN))
        numbers, lengths = table["packet_number"].to_numpy(), table["frame_length"].to_numpy()
        for options, column in (({}, "flow_id"), ({"idle_ns": 10**8, "active_ns": 10**9}, "flow_id"), ({"max_open": 3}, "flow_id"),
                                ({"bidirectional": 0}, "flow_id"), ({"profile": "nfstream"}, "id")):
            engine = netfeat.Flows(**options)
            ids = engine.feed(table)
            mine = numpy.ones(len(ids), bool) if ids.valid is None else ids.valid
            self.assertEqual(mine.sum(), engine.counters["accounted"])
            flows = engine.end().take()
            by_id = {flow: (ids.to_numpy() == flow) & mine for flow in flows[column].to_list()}
            self.assertEqual(sum(rows.sum() for rows in by_id.values()), mine.sum(), options)
            both = "bidirectional_" if column == "id" else ""
            self.assertEqual(flows[both + "packets"].to_list(), [rows.sum() for rows in by_id.values()], options)
            self.assertEqual(flows[both + "bytes"].to_list(), [lengths[rows].sum() for rows in by_id.values()], options)
            self.assertEqual(flows[column].to_list(), [numbers[rows].min() for rows in by_id.values()], options)
            if column == "flow_id":
                self.assertEqual(flows["last_packet"].to_list(), [numbers[rows].max() for rows in by_id.values()], options)
                parents = {parent for parent in flows["parent_id"].to_list() if parent is not None}
                self.assertTrue(parents <= set(by_id), options)

    def test_packets_of_a_flow(self):
        flows = netfeat.flows(str(BENIGN))
        engine = netfeat.Flows()
        ids = [engine.feed(batch) for batch in netfeat.batches(str(BENIGN), rows=100)]
        longest = max(zip(flows["packets"].to_list(), flows["flow_id"].to_list()))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "cut.pcap"
            self.assertEqual(netfeat.save_packets(str(BENIGN), ids, longest[1], path), longest[0])
            again = netfeat.flows(str(path))
            self.assertEqual(again["packets"].to_list(), [longest[0]])
            whole = engine.feed(netfeat.read(str(BENIGN), source_file_index=1))
            self.assertEqual(netfeat.save_packets(str(BENIGN), whole, [], path), 0)
            self.assertEqual(len(netfeat.read(str(path))), 0)
            self.assertRaises(netfeat.RangeError, netfeat.save_packets, str(BENIGN), ids[:1], [1], path)
            self.assertRaises(netfeat.RangeError, netfeat.save_packets, str(BENIGN), [], [1], path)


def without_comments(path):
    return re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)


class Expected(unittest.TestCase):
    """Whatever the library can say of a flow has an expected value in the unit tests."""

    @classmethod
    def setUpClass(cls):
        cls.tests = "".join(without_comments(p) for p in sorted((support.ROOT / "tests" / "unit").glob("test_flow*.c")))
        # neighbouring literals are one text, each line of which is "column=value"
        joined = re.sub(r'"\s*"', "", cls.tests)
        cls.texts = [text.replace("\\n", "\n") for text in re.findall(r'"((?:[^"\\]|\\.)*)"', joined)]
        cls.rows = [line.partition("=") for text in cls.texts for line in text.split("\n") if "=" in line]

    def values(self, suffix):
        return {value for name, _, value in self.rows if name.endswith(suffix)}

    def test_every_column(self):
        names = {name for name, _, _ in self.rows}
        for profile in netfeat.flow_profiles():
            columns = {column.name for column in netfeat.flow_columns(profile)}
            self.assertEqual(columns - names, set(), profile)
            if profile != "flows":  # several profiles share names: each has a row with all of them
                self.assertTrue(re.search(r'expect_every\(\s*"%s",' % profile, self.tests), profile)

    def test_every_reason_and_evidence(self):
        header = without_comments(support.ROOT / "include" / "netfeat" / "flow.h")
        reasons = dict(re.findall(r"NETFEAT_FLOW_END_(\w+) = (\d+)", header))
        self.assertGreaterEqual(len(reasons), 7)
        told = " ".join(self.texts)  # as "end_reason=4", or "fin 3" where reasons and packets are listed
        for name, number in reasons.items():
            self.assertTrue(number in self.values("end_reason") or re.search(r"\b%s \d" % name.lower(), told), name)
        evidence = set(re.findall(r"NETFEAT_FLOW_BY_\w+ = (\d+)", header))
        self.assertEqual(evidence - self.values("direction_evidence"), set())

    def test_every_state_and_letter(self):
        source = without_comments(support.ROOT / "lib" / "flow" / "history.c")
        letters = {letter for line in source.split("\n") if "write_" in line for letter in re.findall("'([A-Z])'", line)}
        self.assertGreaterEqual(len(letters), 11)
        expected = set("".join(self.values("history")))
        self.assertEqual(letters | {letter.lower() for letter in letters} | {"^"}, expected - {"-"})
        states = {state for line in source.split("\n") if "return" in line for state in re.findall(r'"(\w+)"', line)}
        self.assertGreaterEqual(len(states), 13)
        self.assertEqual(states, self.values("conn_state"))
        source = without_comments(support.ROOT / "lib" / "flow" / "getters_tcp.c")
        self.assertEqual(set(re.findall(r'NF_TCP_\w+\] = "(\w+)"', source)), self.values("tcp_state"))


if __name__ == "__main__":
    support.main()
