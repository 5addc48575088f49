"""Features from Python: same numbers as by hand and as pandas, objects that remember, pipelines."""

import json
import os
import tempfile
import unittest

import numpy

import netfeat
import support


def small():
    return netfeat.table({"timestamp": numpy.array([10, 15, 15, 40, 30], "i8").astype("M8[ns]"),
                          "frame_length": numpy.array([100, 60, 40, 1000, 1], "u4"),
                          "dst_port": numpy.array([23, 80, 23, 443, 23], "u2"),
                          "key": numpy.array([1, 2, 1, 2, 1], "u4")})


class Functions(unittest.TestCase):
    def test_by_hand(self):
        table = small()
        self.assertEqual(netfeat.cumulative_bytes(table, ["key"]).to_list(), [100, 60, 140, 1060, 141])
        self.assertEqual(netfeat.cumulative(table, "frame_length").to_list(), [100, 160, 200, 1200, 1201])
        self.assertEqual(netfeat.interarrival(table).to_list(), [None, 5, 0, 25, -10])
        self.assertEqual(netfeat.interarrival(table, "key").to_list(), [None, None, 5, 25, 15])
        self.assertEqual(netfeat.frequency(table["dst_port"]).to_list(), [0.6, 0.2, 0.6, 0.2, 0.6])
        self.assertEqual(netfeat.frequency(table["dst_port"], statistic=2).to_list(), [3, 1, 3, 1, 3])
        self.assertEqual(netfeat.ordinal(table["dst_port"]).to_list(), [0, 1, 0, 2, 0])
        self.assertEqual(netfeat.timestamp(table, 1, relative=True).to_list(), [0, 5, 5, 30, 20])
        self.assertEqual(netfeat.port_class(table["dst_port"]).to_list(), [1] * 5)
        counts = netfeat.value_counts(table["dst_port"])
        self.assertEqual((counts["value"].to_list(), counts["count"].to_list()), ([23, 80, 443], [3, 1, 1]))
        onehot = netfeat.onehot(table["dst_port"], map="443=https,23=telnet")
        self.assertEqual(onehot.columns, ["https", "telnet"])
        self.assertEqual(onehot["telnet"].to_list(), [True, False, True, False, True])

    def test_notebook_ports(self):
        ports = netfeat.ports("notebook")
        self.assertEqual(len(ports), 27)
        self.assertEqual(ports["name"].to_list().count("SCTP"), 2)
        with self.assertRaises(netfeat.ArgumentError):
            netfeat.onehot(small()["dst_port"], ports=1)
        self.assertEqual(len(netfeat.onehot(small()["dst_port"], ports=1, duplicates=1).columns), 26)

    @support.needs_pandas
    def test_describe_equals_pandas(self):
        table = small()
        described = netfeat.describe(table)
        frame = table.select(["frame_length", "dst_port"]).to_pandas().describe()
        for name in frame.columns:
            row = described["name"].to_list().index(name)
            for ours, theirs in (("mean", "mean"), ("std", "std"), ("min", "min"), ("q25", "25%"), ("q50", "50%"),
                                 ("q75", "75%"), ("max", "max"), ("count", "count")):
                self.assertAlmostEqual(described[ours].to_list()[row], frame[name][theirs], places=12)

    def test_packet_features(self):
        table = netfeat.read(support.pcap(support.mixed_packets()), payload=True)
        numbers = netfeat.ip_numeric(table["src_ip"], ip_mode=2)
        self.assertEqual(numbers["number"].to_list()[0], float((10 << 24) + 1))
        flags = netfeat.tcp_flags(table["tcp_flags"])
        self.assertEqual(flags.columns, ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ae"])
        self.assertEqual(len(netfeat.damped(table).columns), 100)
        self.assertEqual(len(netfeat.payload_histogram(table["payload"], bins=4).columns), 4)
        self.assertEqual(len(netfeat.mirai_syn(table)), len(table))
        report = netfeat.incomplete_rows(table, ["src_ip", "src_port"])
        kept = len(table.complete_rows(["src_ip", "src_port"]))
        self.assertEqual(report["missing"].to_list()[-2:], [len(table) - kept, len(table)])

    def test_catalogue(self):
        features = {feature.name: feature for feature in netfeat.catalogue()}
        self.assertGreaterEqual(len(features), 22)
        for feature in features.values():
            self.assertGreaterEqual(feature.version, 1)
            self.assertTrue(feature.formula and feature.null_rule, feature)

    def test_mistakes(self):
        table = small()
        with self.assertRaises(KeyError):
            netfeat.cumulative(table, "nothing")
        with self.assertRaises(TypeError):
            netfeat.frequency("dst_port")
        with self.assertRaises(TypeError):
            netfeat.frequency(table["dst_port"], statistics=2)
        with self.assertRaises(ValueError):
            netfeat.Encoder("nothing")


class Objects(unittest.TestCase):
    def test_encoder_learns_here_and_is_applied_there(self):
        table = small()
        one, two = netfeat.Encoder("frequency").fit(table[:2]["dst_port"]), netfeat.Encoder("frequency")
        two.fit(table[2:]["dst_port"])
        merged = one.merge(two)
        saved = netfeat.Encoder.from_table(merged.to_table()).seal()
        unknown = netfeat.table({"p": numpy.array([23, 9999], "u2")})
        self.assertEqual(saved.apply(unknown["p"])["frequency"].to_list(), [0.6, None])
        self.assertEqual(saved.mapping()["value"].to_list(), [23, 80, 443])

    def test_a_state_opens_no_file(self):
        """A state from a stranger that names a services database and lacks what was in it is refused."""
        ports = netfeat.table({"p": numpy.array([22], "u2")})["p"]
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("ssh 22/tcp\n")
            file.flush()
            encoder = netfeat.Encoder("onehot", ports=2, services_file=file.name).fit(ports)
            states = [encoder.to_table(), encoder.seal().to_table()]
        for state in states:
            items = state["item"].to_list()
            self.assertFalse([item for item in items if "services_file" in item])
            self.assertEqual(netfeat.Encoder.from_table(state).seal().apply(ports).columns, ["ssh"])
            without = state.take(numpy.array([item != "map" for item in items]))
            self.assertRaises(netfeat.FormatError, netfeat.Encoder.from_table, without)

    def test_accumulator_carries_its_state(self):
        table = small()
        whole = netfeat.cumulative_bytes(table, ["key"]).to_list()
        accumulator = netfeat.Accumulator("cumulative_bytes", ["frame_length", "key"])
        got = accumulator.push(table[:2]).columns and []
        accumulator = netfeat.Accumulator("cumulative_bytes", ["frame_length", "key"])
        for first in range(len(table)):
            part = accumulator.push(table[first:first + 1])
            got += part[part.columns[0]].to_list()
            accumulator = netfeat.Accumulator.from_table(accumulator.to_table())
        self.assertEqual(got, whole)
        self.assertEqual(accumulator.counters["rows"], len(table))

    def test_pipeline_in_batches_saved_and_loaded(self):
        table = small()
        steps = [{"feature": "cumulative", "inputs": ["frame_length", "key"], "output": "total"},
                 {"feature": "frequency", "inputs": ["dst_port"], "output": "share"},
                 {"feature": "interarrival", "output": "gap"}]
        pipeline = netfeat.Pipeline.from_json(json.dumps({"version": 1, "steps": steps})).fit(table).seal()
        self.assertEqual([step[0] for step in pipeline.steps], [step["feature"] for step in steps])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.arrow")
            pipeline.to_table().save(path)
            loaded = netfeat.Pipeline.from_table(netfeat.load(path))
        whole = pipeline.apply(table)
        self.assertEqual(whole.columns, ["total", "share", "gap"])
        parts = netfeat.concat([loaded.apply(table[i:i + 2]) for i in range(0, len(table), 2)])
        for name in whole.columns:
            self.assertEqual(parts[name].to_list(), whole[name].to_list())
        self.assertEqual(pipeline.reset().apply(table)["gap"].to_list(), whole["gap"].to_list())
        with self.assertRaises(netfeat.FormatError) as caught:
            netfeat.Pipeline.from_json('{"version": 1, "steps": [}')
        self.assertGreater(caught.exception.offset, 0)


if __name__ == "__main__":
    support.main()
