"""Tables and columns: shared memory and its life, NULLs, row operations, refusals."""

import copy
import gc
import pickle
import unittest
import weakref

import numpy

import netfeat
import support
from netfeat import _ffi


def mixed(**arguments):
    return netfeat.read(support.pcap(support.mixed_packets()), **arguments)


class Values(unittest.TestCase):
    def test_shape_and_names(self):
        table = mixed()
        self.assertEqual(len(table), len(support.MIXED))
        self.assertEqual(table.columns, [f.name for f in netfeat.fields() if f.name != "payload" and "optional column" not in f.help])
        self.assertEqual(list(table), table.columns)
        self.assertIn("src_port", table)
        self.assertNotIn("source", table)
        self.assertNotIn(3, table)
        self.assertIn("9 rows", repr(table))
        self.assertIn("packet_number", repr(table))

    def test_values(self):
        table = mixed(payload=True)
        self.assertEqual(table["src_ip"].to_list()[:5], ["10.0.0.1", "10.0.0.3", "10.0.0.1", None, "2001:db8::1"])
        self.assertEqual(table["dst_port"].to_list(), [80, 53, None, None, 80, None, None, None, 80])
        self.assertEqual(table["ip_protocol"].to_list(), [6, 17, 1, None, 6, 58, 17, None, 6])
        self.assertEqual(table["payload"].to_list()[:3], [b"hello", b"query", b"ping"])
        self.assertEqual(table["padding_length"].to_list()[1], 4)
        self.assertEqual(table["tcp_sack_permitted"].to_list()[:2], [False, None])
        self.assertEqual(table["src_mac"].to_list()[0], "02:00:00:00:00:02")
        self.assertEqual(table["timestamp"].to_list()[1], 1700000001123457000)
        self.assertEqual(table["packet_number"].to_list(), list(range(1, 10)))

    def test_description(self):
        column = mixed()["src_port"]
        self.assertEqual((column.type, column.unit, len(column), column.nulls), ("u16", "", 9, 5))
        self.assertTrue(column.definition.startswith("packet.src_port@"), column.definition)
        self.assertEqual(column.null_rule, [f for f in netfeat.fields() if f.name == "src_port"][0].null_rule)
        self.assertIn("u16, 9 rows, 5 NULL", repr(column))

    def test_numpy_types(self):
        wanted = {"packet_number": "uint64", "src_port": "uint16", "timestamp": "datetime64[ns]", "ip_ttl": "uint8",
                  "tcp_seq": "uint32", "src_ip": "uint8", "tcp_sack_permitted": "bool", "payload": "object"}
        table = mixed(payload=True)
        for name, dtype in wanted.items():
            with self.subTest(name):
                self.assertEqual(str(table[name].to_numpy().dtype), dtype)
        self.assertEqual(table["src_ip"].to_numpy().shape, (9, 16))
        self.assertEqual(table["src_mac"].to_numpy().shape, (9, 6))
        self.assertEqual(table["timestamp"].to_numpy()[0], numpy.datetime64("2023-11-14T22:13:20.123456", "ns"))

    def test_nulls(self):
        column = mixed()["dst_port"]
        self.assertEqual(column.valid.tolist(), [True, True, False, False, True, False, False, False, True])
        self.assertEqual(column.to_numpy().tolist(), [80, 53, 0, 0, 80, 0, 0, 0, 80])
        self.assertEqual(column.to_numpy(null=65535).tolist()[2], 65535)
        self.assertEqual(column.to_numpy(null=65535).dtype, "uint16")
        self.assertTrue(numpy.isnan(column.to_numpy(null=numpy.nan)[2]))
        self.assertEqual(column.to_numpy(null=None).tolist()[1:4], [53, None, None])
        masked = column.masked()
        self.assertEqual(masked.compressed().tolist(), [80, 53, 80, 80])
        self.assertTrue(numpy.shares_memory(masked.data, column.to_numpy()))
        self.assertEqual(mixed()["src_ip"].masked().mask[3].tolist(), [True] * 16)
        self.assertIsNone(mixed()["packet_number"].valid)

    def test_dictionary_and_text(self):
        column = mixed()["src_ip"]
        ids, values = column.dictionary()
        self.assertEqual(ids.to_list(), [0, 1, 0, None, 2, 2, 0, None, 3])
        self.assertEqual(values.to_list(), ["10.0.0.1", "10.0.0.3", "2001:db8::1", "10.0.0.2"])
        self.assertEqual(column.to_strings().tolist(), column.to_list())
        self.assertEqual(column.to_text().to_numpy().tolist(), column.to_list())
        codes, texts = column.codes()
        self.assertEqual(codes.tolist(), [0, 1, 0, -1, 2, 2, 0, -1, 3])
        self.assertEqual(texts.tolist(), values.to_list())
        self.assertEqual(column.text(0), "10.0.0.1")
        self.assertEqual(column.text(-1), "10.0.0.2")
        self.assertIsNone(column.text(3))
        self.assertRaises(IndexError, column.text, 9)

    def test_shared_text(self):
        payload = mixed(payload=True)["payload"]
        offsets = payload.offsets
        self.assertEqual(payload.data[offsets[1]:offsets[2]].tobytes(), b"query")
        self.assertIsNone(mixed()["src_port"].offsets)
        self.assertRaises(TypeError, lambda: mixed()["src_port"].data)
        self.assertIsNone(payload.child)


class Memory(unittest.TestCase):
    def test_arrays_share_memory_and_keep_it(self):
        table = mixed()
        column = table["src_port"]
        array = column.to_numpy()
        self.assertTrue(numpy.shares_memory(array, table["src_port"].to_numpy()))
        self.assertFalse(array.flags.writeable)
        with self.assertRaises(ValueError):
            array[0] = 1
        before = array.tolist()
        tail = array[5:]
        gone = weakref.ref(column._handle)
        del table, column
        gc.collect()
        noise = [mixed() for _ in range(20)]  # what would reuse memory given back too early
        self.assertEqual(array.tolist(), before)
        self.assertIsNotNone(gone())
        del array
        gc.collect()
        self.assertEqual(tail.tolist(), before[5:])
        del tail, noise
        gc.collect()
        self.assertIsNone(gone())

    def test_slices_share(self):
        table = mixed()
        self.assertTrue(numpy.shares_memory(table.slice(2, 3)["tcp_seq"].to_numpy(), table["tcp_seq"].to_numpy()))

    def test_memory_is_given_back(self):
        from netfeat import _context
        context = _context.current()
        numbers = netfeat.table({"n": numpy.arange(100000)})
        numbers.take(range(0, 100000, 2))
        gc.collect()
        before = _context.C.ctx_memory_used(context)
        for _ in range(50):
            numbers.take(range(0, 100000, 2))
        gc.collect()
        self.assertLessEqual(_context.C.ctx_memory_used(context), before)

    def test_no_rows(self):
        table = netfeat.read(support.pcap([]), payload=True)
        self.assertEqual(len(table), 0)
        for name in table.columns:
            self.assertEqual(len(table[name].to_numpy()), 0)
            self.assertEqual(table[name].to_list(), [])
            self.assertEqual(len(table[name].to_strings()), 0)
        self.assertEqual(table["src_ip"].to_numpy().shape, (0, 16))
        self.assertIn("0 rows", repr(table))

    def test_handles_do_not_travel(self):
        table = mixed()
        self.assertRaises(TypeError, pickle.dumps, table)
        self.assertRaises(TypeError, pickle.dumps, table["src_ip"])
        self.assertIs(copy.copy(table), table)
        self.assertIs(copy.deepcopy(table), table)

    def test_arrays_become_columns(self):
        array = numpy.arange(5, dtype="u4")
        alive = weakref.ref(array)
        table = netfeat.table({"n": array, "f": [1.5, 2, 3, 4, 5], "i": numpy.array([-1, 2, 3, 4, 5], "i2"),
                               "t": numpy.array(["2020-01-01"] * 5, "M8[D]"), "ip": numpy.zeros((5, 16), "u1")})
        self.assertEqual([table[name].type for name in table], ["u32", "f64", "i64", "time_ns", "bytes16"])
        self.assertTrue(numpy.shares_memory(table["n"].to_numpy(), array))
        del array
        gc.collect()
        self.assertEqual(table["n"].to_list(), [0, 1, 2, 3, 4])
        self.assertEqual(table["i"].to_list(), [-1, 2, 3, 4, 5])
        self.assertEqual(table["t"].text(0), "2020-01-01T00:00:00.000000000Z")
        self.assertEqual(table["ip"].text(0), "::")
        del table
        gc.collect()
        self.assertIsNone(alive())
        from netfeat import _column
        column = _column.wrap([1, 2, 3], valid=[True, False, True])
        self.assertEqual(column.to_list(), [1, None, 3])
        self.assertEqual(column.to_numpy().tolist(), [1, 0, 3])
        self.assertRaises(ValueError, _column.wrap, [1, 2, 3], [True])
        self.assertRaises(TypeError, _column.wrap, ["a"])
        self.assertRaises(TypeError, _column.wrap, numpy.zeros((2, 3)))
        self.assertRaises(TypeError, _column.wrap, [True])
        self.assertEqual(len(netfeat.table({"empty": numpy.empty(0)})), 0)
        self.assertRaises(netfeat.ArgumentError, netfeat.table, {"a": [1, 2], "b": [1]})


class Rows(unittest.TestCase):
    def test_slice(self):
        table = mixed()
        numbers = table["packet_number"].to_list()
        for key in (slice(2, 5), slice(-3, None), slice(None, None, 2), slice(5, 2), slice(None, None, -1),
                    slice(0, 100)):
            with self.subTest(str(key)):
                self.assertEqual(table[key]["packet_number"].to_list(), numbers[key])
        self.assertEqual(len(table.head(2)), 2)
        self.assertEqual(len(table.head(200)), 9)
        self.assertEqual(table.slice(7)["packet_number"].to_list(), [8, 9])
        self.assertEqual(len(table.slice(100, 5)), 0)

    def test_select_join_take(self):
        table = mixed()
        pair = table.select(["dst_port", "src_port"])
        self.assertEqual(pair.columns, ["dst_port", "src_port"])
        self.assertEqual(table[["ip_ttl"]].join(pair).columns, ["ip_ttl", "dst_port", "src_port"])
        self.assertRaises(netfeat.ArgumentError, table.join, pair)
        self.assertRaises(netfeat.ArgumentError, pair.select, ["src_port", "src_port"])
        self.assertEqual(table.take([8, 0, 0])["packet_number"].to_list(), [9, 1, 1])
        self.assertEqual(table.take(table["src_port"].valid)["packet_number"].to_list(), [1, 2, 5, 9])
        self.assertEqual(len(table.take([])), 0)
        self.assertRaises(netfeat.RangeError, table.take, [9])
        self.assertRaises(IndexError, table.take, [-1])
        self.assertRaises(TypeError, table.take, [1.5])
        self.assertRaises(ValueError, table.take, [True, False])
        self.assertRaises(KeyError, lambda: table["nothing"])
        self.assertRaises(KeyError, table.select, ["nothing"])
        self.assertRaises(TypeError, table.select, "src_port")
        self.assertRaises(TypeError, lambda: table[3])
        self.assertRaises(TypeError, table.join, None)

    def test_complete_rows(self):
        table = mixed()
        self.assertEqual(table.complete_rows(["src_port", "dst_port"])["packet_number"].to_list(), [1, 2, 5, 9])
        self.assertEqual(len(table[["packet_number", "src_ip"]].complete_rows()), 7)
        self.assertEqual(len(table.complete_rows([])), 9)
        self.assertRaises(KeyError, table.complete_rows, ["nothing"])

    @unittest.skipUnless(_ffi.C.build_has(b"anonymize"), "built without nettle")
    def test_anonymize(self):
        table, key = mixed(payload=True), bytes(range(32))
        shared = table.anonymize(key)
        self.assertEqual(shared.columns, [name for name in table.columns if name != "payload"])
        self.assertEqual(len(shared), len(table))
        self.assertIn("payload", table.anonymize(key, payload=True))
        for name in shared:
            same = shared[name].to_list() == table[name].to_list()
            self.assertEqual(same, not name.endswith(("_ip", "_mac")), name)
        self.assertEqual(support.columns_of(table.anonymize(bytearray(key))), support.columns_of(shared))
        self.assertNotEqual(table.anonymize(bytes(32))["src_ip"].to_list(), shared["src_ip"].to_list())
        for bad in (b"", bytes(31)):
            self.assertRaises(netfeat.ArgumentError, table.anonymize, bad)
        for bad in ("secret", 32, None):
            self.assertRaises(TypeError, table.anonymize, bad)

    @unittest.skipUnless(_ffi.C.build_has(b"anonymize"), "built without nettle")
    def test_anonymized_while_read(self):
        key = bytes(range(32))
        table = netfeat.read(support.BENIGN, payload=True)
        wanted = support.columns_of(table.anonymize(key))
        found = netfeat.read(support.BENIGN, payload=True, anonymize=key)
        self.assertEqual(support.columns_of(found), wanted)
        self.assertEqual(found.counters, table.counters)
        parts = list(netfeat.batches(support.BENIGN, 100, anonymize=key))
        self.assertGreater(len(parts), 1)
        self.assertEqual(support.columns_of(netfeat.concat(parts)), wanted)
        with netfeat.Source(support.BENIGN, anonymize=key) as source:
            self.assertRaises(TypeError, next, source)
            self.assertEqual(support.columns_of(source.read()), wanted)
        several = netfeat.read([support.BENIGN, support.SCAN], threads=2, anonymize=key)
        self.assertEqual(several[:len(table)]["src_ip"].to_list(), found["src_ip"].to_list())
        for call in (netfeat.read, netfeat.batches, netfeat.Source):
            self.assertRaises(TypeError, call, support.BENIGN, anonymize="secret")
        self.assertRaises(netfeat.ArgumentError, netfeat.read, support.BENIGN, anonymize=b"short")

    def test_concat(self):
        table = mixed(payload=True)
        again = netfeat.concat([table[:4], table[4:4], table[4:]])
        self.assertEqual(support.columns_of(again), support.columns_of(table))
        self.assertRaises(netfeat.ArgumentError, netfeat.concat, [table, table[["src_ip"]]])
        self.assertRaises(TypeError, netfeat.concat, [1])
        self.assertEqual(len(netfeat.concat([])), 0)


if __name__ == "__main__":
    support.main()
