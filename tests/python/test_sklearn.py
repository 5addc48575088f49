"""netfeat.sklearn: the conventions of scikit-learn, and the same numbers as the library's own calls."""

import os
import pickle
import tempfile
import unittest

import numpy

import netfeat
import support

try:
    import sklearn.base
    import sklearn.compose
    import sklearn.exceptions
    import sklearn.linear_model
    import sklearn.model_selection
    import sklearn.pipeline
except ImportError:
    raise SystemExit(support.SKIPPED) from None
if support.pandas is None:
    raise SystemExit(support.SKIPPED)
pandas = support.pandas

from netfeat import sklearn as ours  # noqa: E402  # pylint: disable=wrong-import-position

STEPS = [("cumulative", ["frame_length", "src_ip"], "total", {"null_key": 1}), ("interarrival", None, "gap"),
         ("frequency", ["dst_port"], "share"), ("standard_scale", ["total"], "scaled"), "port_class",
         ("ip_numeric", ["src_ip"], "src", {"ip_mode": 4}), ("onehot", ["dst_port"], "to", {"map": "80=http,53=dns"})]


def packets(count=60):
    """A capture with holes: ARP without ports, and a few addresses and ports."""
    made = []
    for i in range(count):
        packet = support.tcp(b"x" * (i * 7 % 30), 1024 + i, (80, 443, 53, 80)[i % 4])
        made.append(support.ethernet(support.ipv4(packet, 6, source=(10, 0, 0, i % 3))) if i % 5 else
                    support.ethernet(support.arp(), 0x0806))
    return netfeat.read(support.pcap(made))


def same(one, other):
    numpy.testing.assert_array_equal(numpy.asarray(one, "f8").view("u8"), numpy.asarray(other, "f8").view("u8"))


class Features(unittest.TestCase):
    def setUp(self):
        self.table = packets()

    def by_calls(self, fitted, applied):
        pipeline = netfeat.Pipeline()
        for step in STEPS:
            feature, inputs, output, options = (*([step] if isinstance(step, str) else step), None, None, None)[:4]
            pipeline.add(feature, inputs or (), output, **(options or {}))
        return pipeline.fit(fitted).seal().apply(applied)

    def test_same_bits_as_the_pipeline(self):
        features = ours.Features(STEPS).fit(self.table[:40])
        expected = self.by_calls(self.table[:40], self.table[40:])
        self.assertEqual(features.get_feature_names_out().tolist(), expected.columns)
        for name, values in support.columns_of(features.transform_table(self.table[40:])).items():
            self.assertEqual(values, support.columns_of(expected)[name])
        array = features.transform(self.table[40:])
        self.assertEqual((array.shape, array.dtype), ((20, len(expected.columns)), numpy.dtype("f8")))
        for i, name in enumerate(expected.columns):
            same(array[:, i], expected[name].to_numpy(null=numpy.nan))
        same(features.transform(self.table[40:]), array)  # every transform begins anew

    def test_frames_are_tables(self):
        """Through pandas, where integers with holes are floats and addresses are texts: the same bits."""
        features = ours.Features(STEPS).fit(self.table)
        array = features.transform(self.table)
        for arguments in ({}, {"nullable": True}, {"addresses": "category"}, {"addresses": "bytes"}):
            frame = self.table.to_pandas(**arguments)
            same(features.transform(frame), array)
            again = ours.Features(STEPS).fit(frame)
            same(again.transform(self.table), array)
            self.assertEqual(again.get_feature_names_out().tolist(), features.get_feature_names_out().tolist())

    def test_parts_are_the_whole(self):
        whole = ours.Features(STEPS).fit(self.table)
        parts = ours.Features(STEPS)
        for first in range(0, len(self.table), 7):
            parts.partial_fit(self.table[first:first + 7])
            parts.transform(self.table[:3])  # in between: goes on learning
        same(parts.transform(self.table), whole.transform(self.table))
        parts.fit(self.table[:10])  # forgets
        same(parts.transform(self.table), ours.Features(STEPS).fit(self.table[:10]).transform(self.table))

    def test_conventions(self):
        features = ours.Features(STEPS)
        self.assertIs(features.get_params()["steps"], STEPS)
        self.assertRaises(sklearn.exceptions.NotFittedError, features.transform, self.table)
        self.assertRaises(sklearn.exceptions.NotFittedError, features.get_feature_names_out)
        array = features.fit_transform(self.table, None)
        copy = sklearn.base.clone(features)
        self.assertEqual(copy.get_params(), features.get_params())
        self.assertRaises(sklearn.exceptions.NotFittedError, copy.transform, self.table)
        self.assertEqual(features.n_features_in_, len(self.table.columns))
        self.assertEqual(features.feature_names_in_.tolist(), self.table.columns)
        copy.set_params(steps=["port_class"])
        self.assertEqual(copy.fit(self.table).get_feature_names_out().tolist(), ["port_class"])
        frame = self.table.to_pandas()
        frame.index += 100
        out = features.set_output(transform="pandas").transform(frame)
        self.assertEqual(out.columns.tolist(), features.get_feature_names_out().tolist())
        self.assertEqual(out.index.tolist(), frame.index.tolist())
        same(out, array)

    def test_pickles_hold_tables(self):
        features = ours.Features(STEPS).fit(self.table[:40])
        text = pickle.dumps(features)
        copy = pickle.loads(text)
        same(copy.transform(self.table), features.transform(self.table))
        self.assertEqual(copy.get_feature_names_out().tolist(), features.get_feature_names_out().tolist())
        copy.partial_fit(self.table[40:])
        same(copy.transform(self.table), ours.Features(STEPS).fit(self.table).transform(self.table))
        self.assertRaises(sklearn.exceptions.NotFittedError, pickle.loads(pickle.dumps(ours.Features())).transform, self.table)
        at = text.index(b"ARROW") if b"ARROW" in text else text.index(b"\xff\xff\xff\xff") + 8
        with self.assertRaises(netfeat.Error):  # damaged state is noticed
            pickle.loads(text[:at] + b"\x7f" * 40 + text[at + 40:])

    def test_saved_for_others(self):
        features = ours.Features(STEPS).fit(self.table[:40])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "features.arrow")
            features.save(path)
            loaded = netfeat.Pipeline.from_table(netfeat.load(path))
        same(ours.to_array(loaded.apply(self.table)), features.transform(self.table))

    def test_json_and_dicts(self):
        step = {"feature": "frequency", "inputs": ["dst_port"], "output": "f", "options": {"feature.statistic": 2}}
        text = '{"version": 1, "steps": [{"feature": "frequency", "inputs": ["dst_port"], "output": "f", ' \
               '"options": {"feature.statistic": 2}}]}'
        same(ours.Features([step]).fit_transform(self.table), ours.Features(text).fit_transform(self.table))

    def test_mistakes(self):
        self.assertRaises(netfeat.Error, ours.Features(["nothing"]).fit, self.table)
        self.assertRaises(netfeat.NotFoundError, ours.Features(STEPS).fit, self.table[["frame_length"]])
        self.assertRaises(ValueError, ours.Features(STEPS).fit, [1, 2, 3])
        failed = ours.Features(STEPS).fit(self.table)
        self.assertRaises(netfeat.NotFoundError, failed.fit, self.table[["frame_length"]])
        self.assertRaises(sklearn.exceptions.NotFittedError, failed.transform, self.table)
        features = ours.Features(STEPS).fit(self.table)
        frame = self.table.to_pandas()
        frame["dst_port"] = 70000.0
        with self.assertRaisesRegex(ValueError, "column dst_port: 70000.0 does not fit u16"):
            features.transform(frame)
        frame["dst_port"] = 1.5
        self.assertRaises(ValueError, features.transform, frame)
        frame["dst_port"] = "http"
        self.assertRaisesRegex(TypeError, "dst_port holds texts other than addresses", features.transform, frame)


class Encoders(unittest.TestCase):
    def frame(self, ports):
        return pandas.DataFrame({"port": ports, "size": numpy.arange(len(ports)) * 10.0})

    def test_frequency(self):
        encoder = ours.FrequencyEncoder(["port"]).fit(self.frame([23, 23, 80, 443]))
        array = encoder.transform(self.frame([80, 23, 9999]))
        self.assertEqual(encoder.get_feature_names_out().tolist(), ["port"])
        same(array[:, 0], [0.25, 0.5, numpy.nan])
        with_holes = encoder.transform(self.frame([80, None, 23]))  # floats now
        same(with_holes[:, 0], [0.25, numpy.nan, 0.5])
        for unknown, value in (("zero", 0.0), ("null", numpy.nan)):
            fitted = ours.FrequencyEncoder("port", unknown=unknown).fit(self.frame([23, 23, 80, 443]))
            same(fitted.transform(self.frame([1]))[:, 0], [value])
        fitted = ours.FrequencyEncoder("port", unknown="error").fit(self.frame([23]))
        self.assertRaises(netfeat.RangeError, fitted.transform, self.frame([1]))
        same(ours.FrequencyEncoder("port", "count", null="zero").fit_transform(self.frame([23, None, 23]))[:, 0], [2, 0, 2])
        for wrong in ({"unknown": "nothing"}, {"statistic": 1}, {"null": None}, {"columns": ["none"]}):
            self.assertRaises(ValueError, ours.FrequencyEncoder(**wrong).fit, self.frame([23]))

    def test_onehot(self):
        encoder = ours.OneHotEncoder(["port"]).fit(self.frame([80, 23]))
        names = encoder.get_feature_names_out().tolist()
        self.assertEqual([name.split("_")[-1] for name in names], ["23", "80"])
        same(encoder.transform(self.frame([80, 1, 23])), [[0, 1], [0, 0], [1, 0]])
        encoder = ours.OneHotEncoder("port", {443: "https", 23: "telnet"}).fit(self.frame([1]))
        same(encoder.transform(self.frame([23, 443])), [[0, 1], [1, 0]])
        self.assertEqual(len(ours.OneHotEncoder("port", "notebook", "last").fit(self.frame([1])).get_feature_names_out()), 26)
        self.assertRaises(netfeat.ArgumentError, ours.OneHotEncoder("port", "notebook").fit, self.frame([1]))
        self.assertRaises(ValueError, ours.OneHotEncoder("port", "unknown").fit, self.frame([1]))

    def test_ordinal_and_scales(self):
        frame = self.frame([80, 23, 80])
        same(ours.OrdinalEncoder("port").fit_transform(frame)[:, 0], [1, 0, 1])
        same(ours.StandardScaler("size").fit_transform(frame)[:, 0], [-1, 0, 1])
        same(ours.MinMaxScaler().fit_transform(frame), [[1, 0], [0, 0.5], [1, 1]])

    def test_arrays(self):
        array = numpy.array([[1, 5], [3, 5], [1, 7]])
        encoder = ours.FrequencyEncoder().fit(array)
        self.assertEqual(encoder.get_feature_names_out().tolist(), ["x0", "x1"])
        same(encoder.transform(array), [[2 / 3, 2 / 3], [1 / 3, 2 / 3], [2 / 3, 1 / 3]])
        same(encoder.transform(array.astype("f8")), encoder.transform(array))
        self.assertEqual(encoder.transform(array[:0]).shape, (0, 2))

    def test_kinds_of_values(self):
        frame = pandas.DataFrame({
            "ip": ["10.0.0.1", None, "2001:db8::1"], "mac": ["02:00:00:00:00:01", "02-00-00-00-00-01", None],
            "when": pandas.to_datetime([10, 20, 10]), "flag": [True, False, True],
            "wide": pandas.array([2**63 + 1, None, 2**63 + 1], "UInt64"), "none": [None, None, None],
            "here": pandas.to_datetime([1, 2, 1]).tz_localize("Europe/Berlin")})
        counts = ours.FrequencyEncoder(statistic="count").fit(frame)
        nan = numpy.nan
        same(counts.transform(frame), [[1, 2, 2, 2, 2, nan, 2], [nan, 2, 1, 1, nan, nan, 1], [1, nan, 2, 2, 2, nan, 2]])
        self.assertRaisesRegex(TypeError, "column text holds texts", ours.FrequencyEncoder().fit,
                               pandas.DataFrame({"text": ["a"]}))
        self.assertRaises(TypeError, ours.FrequencyEncoder().fit, pandas.DataFrame({"lists": [[1]]}))


class Together(unittest.TestCase):
    def setUp(self):
        self.table = packets(200).complete_rows(["src_ip", "src_port", "dst_port"])
        self.labels = self.table["dst_port"].to_numpy() == 80

    def test_pipeline_on_tables(self):
        model = sklearn.pipeline.make_pipeline(
            sklearn.pipeline.make_union(ours.FrequencyEncoder("dst_port"), ours.Features([("cumulative_bytes", None, "all")])),
            ours.MinMaxScaler(), sklearn.linear_model.LogisticRegression())
        model.fit(self.table, self.labels)
        self.assertEqual(model[0].get_feature_names_out().tolist(), ["frequencyencoder__dst_port", "features__all"])
        self.assertGreater(model.score(self.table, self.labels), 0.9)
        again = pickle.loads(pickle.dumps(model))
        same(again.predict_proba(self.table), model.predict_proba(self.table))

    def test_column_transformer_and_search(self):
        frame = self.table.to_pandas()[["dst_port", "frame_length", "src_ip"]]
        chosen = sklearn.compose.ColumnTransformer([
            ("often", ours.FrequencyEncoder(), ["dst_port", "src_ip"]), ("size", ours.StandardScaler(), ["frame_length"])])
        model = sklearn.pipeline.Pipeline([("x", chosen), ("model", sklearn.linear_model.LogisticRegression())])
        search = sklearn.model_selection.GridSearchCV(
            model, {"x__often__unknown": ["zero"], "x__often__statistic": ["share", "count"]}, cv=3, error_score="raise")
        search.fit(frame, self.labels)
        self.assertGreater(search.best_score_, 0.9)
        self.assertEqual(search.best_estimator_["x"].get_feature_names_out().tolist(),
                         ["often__dst_port", "often__src_ip", "size__frame_length"])


if __name__ == "__main__":
    support.main()
