"""Reading: the same rows from every kind of input and for every way of cutting it; errors with their place."""

import gc
import io
import os
import pickle
import tempfile
import threading
import unittest
import unittest.mock

import netfeat
import support

CAPTURE = support.many_packets(3000)
#: The last record lies about its length.
BAD = CAPTURE + bytes(8) + b"\xff\xff\xff\x7f" * 2 + b"rest of the record"
#: The last record is cut.
CUT = CAPTURE[:-3]


class Inputs(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = self.write("one.pcap", CAPTURE)
        self.whole = support.columns_of(netfeat.read(CAPTURE, payload=True))
        self.assertEqual(len(self.whole["src_ip"][2]), 3000)

    def write(self, name, data):
        path = os.path.join(self.directory.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def same(self, table):
        self.assertEqual(support.columns_of(table), self.whole)

    def pipe(self, write_end, data):
        def feed():
            with write_end() as file:
                for i in range(0, len(data), 1000):
                    file.write(data[i:i + 1000])
                    file.flush()

        thread = threading.Thread(target=feed)
        thread.start()
        self.addCleanup(thread.join)

    def test_every_kind_of_input(self):
        self.same(netfeat.read(self.path, payload=True))
        self.same(netfeat.read(os.fsencode(self.path).decode(), payload=True))
        self.same(netfeat.read([self.path], payload=True))
        for data in (bytearray(CAPTURE), memoryview(CAPTURE), io.BytesIO(CAPTURE)):
            self.same(netfeat.read(data, payload=True))
        with open(self.path, "rb", buffering=0) as file:
            self.same(netfeat.read(file, payload=True))
            file.seek(0)
            self.same(netfeat.read(file.fileno(), payload=True))

    def test_pipes(self):
        read_end, write_end = os.pipe()
        self.pipe(lambda: os.fdopen(write_end, "wb"), CAPTURE)
        self.same(netfeat.read(read_end, payload=True))
        os.close(read_end)
        fifo = os.path.join(self.directory.name, "fifo")
        os.mkfifo(fifo)
        self.pipe(lambda: open(fifo, "wb"), CAPTURE)
        self.same(netfeat.read(fifo, payload=True))

    def test_batches(self):
        for rows in (1, 7, 64, 1000, 2999, 3000, 3001):
            with self.subTest(rows):
                tables = list(netfeat.batches(self.path, rows, payload=True))
                self.assertTrue(all(len(table) == rows for table in tables[:-1]))
                self.same(netfeat.concat(tables))
        source = netfeat.Source(self.path, payload=True)
        self.same(netfeat.concat([source.read(10), source.read(0), source.read()]))
        self.assertEqual(len(source.read()), 0)
        self.assertRaises(ValueError, netfeat.batches, self.path, 0)

    def test_abandoned_batches(self):
        """The garbage collector may give the source back before it closes the generator: nobody looks at it then."""
        looked = []
        with unittest.mock.patch.object(netfeat.Source, "counters", property(looked.append)):
            batches = netfeat.batches(self.path, 7)
            next(batches)
            looked.clear()
            del batches
            gc.collect()
        self.assertEqual(looked, [])

    def test_several_files(self):
        """Any number of threads gives the same table."""
        paths = [self.write("%d.pcap" % i, support.many_packets(50 * i)) for i in range(9)]
        alone = [netfeat.read(path, file_index=i) for i, path in enumerate(paths)]
        wanted = support.columns_of(netfeat.concat(alone))
        self.assertEqual(set(wanted["file_index"][2]), set(range(1, 9)))
        for threads in (1, 2, 5, 100, None):
            with self.subTest(threads):
                table = netfeat.read(paths, threads=threads)
                self.assertEqual(support.columns_of(table), wanted)
                self.assertEqual(table.counters["records"], len(table))
        self.assertEqual(support.columns_of(netfeat.concat(netfeat.batches(paths, 64))), wanted)
        self.assertEqual(set(netfeat.read(paths, file_index=7)["file_index"].to_list()), {7})
        self.assertRaises(ValueError, netfeat.read, paths, threads=0)
        with self.assertRaises(netfeat.LimitError) as caught:
            netfeat.read(paths, max_rows=70)
        self.assertEqual(len(caught.exception.table), 70)

    def test_columns_filter_options(self):
        table = netfeat.read(self.path, columns=["dst_port", "src_ip"], filter="arp")
        self.assertEqual(table.columns, ["dst_port", "src_ip"])
        self.assertEqual(len(table), 600)
        self.assertEqual(table.counters["filtered"], 2400)
        self.assertEqual(table.counters["records"], table.counters["filtered"] + table.counters["delivered"])
        self.assertEqual(netfeat.read(self.path, columns="ip_ttl,src_ip", payload=True).columns,
                         ["ip_ttl", "src_ip", "payload"])
        self.same(netfeat.read(self.path, payload=True, source_buffer_bytes=4096))
        self.assertRaises(TypeError, netfeat.read, self.path, bufer_bytes=4096)
        self.assertRaises(TypeError, netfeat.read, self.path, buffer_bytes="big")
        self.assertRaises(TypeError, netfeat.read, self.path, filter=7)
        self.assertRaises(OverflowError, netfeat.read, self.path, buffer_bytes=1 << 64)
        self.assertRaises(netfeat.RangeError, netfeat.read, self.path, buffer_bytes=1)
        self.assertRaises(netfeat.NotFoundError, netfeat.read, self.path, columns=["nothing"])
        self.assertRaises(ValueError, netfeat.read, self.path, columns=[])
        self.assertRaises(ValueError, netfeat.read, self.path, filter="a\0b")
        with self.assertRaises(netfeat.Error) as caught:
            netfeat.read(self.path, filter="no such expression")
        self.assertIn("expression", str(caught.exception))
        self.assertRaises(TypeError, netfeat.read, 1.5)
        self.assertRaises(TypeError, netfeat.read, None)

    def test_catalogues(self):
        fields = netfeat.fields()
        self.assertEqual(fields[0][:4], (1, "packet_number", "u64", ""))
        self.assertTrue(all(field.help and field.null_rule for field in fields))
        options = {option.name: option for option in netfeat.options()}
        self.assertEqual(options["source.filter"].kind, "text")
        self.assertEqual(options["table.max_rows"][1:6], ("table_max_rows", "int", 0, 2**63 - 1, 0))
        self.assertTrue(all(option.help for option in options.values()))
        self.assertRegex(netfeat.version, r"^\d+\.\d+\.\d+$")

    def test_packets(self):
        with netfeat.Source(support.pcap(support.mixed_packets())) as source:
            packets = list(source)
        self.assertEqual([packet.data for packet in packets], support.mixed_packets())
        self.assertEqual([packet.number for packet in packets], list(range(1, 10)))
        self.assertEqual(packets[1][:5], (2, 1700000001123457000, 1, 0, 51))
        self.assertRaises(netfeat.StateError, source.read)
        source = netfeat.Source(CAPTURE)
        next(source)
        self.assertEqual(len(source.read()), 2999)
        self.assertEqual(source.counters["delivered"], 3000)


class Errors(unittest.TestCase):
    def test_cut(self):
        with self.assertRaises(netfeat.TruncatedError) as caught:
            netfeat.read(CUT)
        error = caught.exception
        self.assertEqual((error.name, error.packet, error.path), ("TRUNCATED", 3000, "memory"))
        self.assertGreater(error.offset, 0)
        self.assertLessEqual(error.offset, len(CUT))
        self.assertEqual(error.table["packet_number"].to_list(), list(range(1, 3000)))
        self.assertIn("packet 3000", str(error))
        self.assertIn("offset %d" % error.offset, str(error))
        self.assertIsInstance(error, netfeat.Error)
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(again), again.packet, again.table), (str(error), 3000, None))

    def test_lie(self):
        with self.assertRaises(netfeat.FormatError) as caught:
            netfeat.read(BAD)
        self.assertEqual((caught.exception.packet, len(caught.exception.table)), (3001, 3000))
        self.assertTrue(len(CAPTURE) <= caught.exception.offset <= len(CAPTURE) + 16)

    def test_keep(self):
        for threads in (1, 3):
            table = netfeat.read([CAPTURE, CUT, CAPTURE, BAD, b"", b"junk" * 10], on_error="keep", threads=threads)
            self.assertEqual(len(table), 4 * 3000 - 1)
            self.assertEqual([error.name for error in table.errors], ["TRUNCATED", "FORMAT", "TRUNCATED", "FORMAT"])
            self.assertEqual(set(table["file_index"].to_list()), {0, 1, 2, 3})
        self.assertEqual(netfeat.read(CAPTURE).errors, ())
        empty = netfeat.read(b"junk" * 10, on_error="keep")
        self.assertEqual((len(empty), len(empty.errors)), (0, 1))
        self.assertRaises(ValueError, netfeat.read, CAPTURE, on_error="ignore")
        self.assertRaises(FileNotFoundError, netfeat.read, ["/nonexistent", CAPTURE], on_error="keep")

    def test_raise_among_several(self):
        for threads in (1, 2, 4):
            with self.assertRaises(netfeat.TruncatedError) as caught:
                netfeat.read([CAPTURE, CUT, CAPTURE], threads=threads)
            self.assertEqual(len(caught.exception.table), 5999)

    def test_batches(self):
        got = []
        with self.assertRaises(netfeat.TruncatedError):
            for table in netfeat.batches([CAPTURE, CUT, CAPTURE], 2000):
                got.append(len(table))
        self.assertEqual(got, [2000, 1000, 2000, 999])
        batches = netfeat.batches([CAPTURE, CUT, CAPTURE], 2000, on_error="keep")
        self.assertEqual(sum(map(len, batches)), 8999)
        self.assertEqual([error.packet for error in batches.errors], [3000])
        self.assertEqual(batches.counters["delivered"], 8999)
        self.assertRaises(FileNotFoundError, list, netfeat.batches("/nonexistent"))

    def test_system(self):
        with self.assertRaises(FileNotFoundError) as caught:
            netfeat.read("/nonexistent/capture.pcap")
        self.assertIsInstance(caught.exception, netfeat.NotFoundError)
        self.assertEqual((caught.exception.errno, caught.exception.path), (2, "/nonexistent/capture.pcap"))
        self.assertIsNone(caught.exception.packet)
        with self.assertRaises(OSError) as caught:
            netfeat.read(os.open("/", os.O_RDONLY))
        self.assertIsInstance(caught.exception, netfeat.IoError)
        self.assertRaises(netfeat.Error, netfeat.read, 9999)
        self.assertRaises(ValueError, netfeat.read, "a\0b")


class Progress(unittest.TestCase):
    def test_sums(self):
        calls = []
        netfeat.read([CAPTURE] * 5, progress=lambda *numbers: calls.append(numbers))
        self.assertEqual(calls[-1], (15000, 5 * len(CAPTURE), 5 * len(CAPTURE)))
        self.assertEqual(calls, sorted(calls))
        calls.clear()
        batches = netfeat.batches(CAPTURE, 100, progress=lambda *numbers: calls.append(numbers))
        self.assertEqual(len(list(batches)), 30)
        self.assertGreaterEqual(len(calls), 30)

    def test_stop(self):
        with self.assertRaises(netfeat.CancelledError):
            netfeat.read([CAPTURE] * 5, progress=lambda *_: True)

    def test_exception(self):
        def fail(*_):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            netfeat.read([CAPTURE] * 5, progress=fail)

    def test_bar(self):
        from netfeat import _progress
        stream = io.StringIO()
        bar = _progress.Bar(stream)
        bar(1000, 500, 1000)
        bar(2000, 1000, 1000)
        bar.close()
        self.assertIn("[############............]  50 %  1000 packets", stream.getvalue())
        self.assertIn("100 %", stream.getvalue())
        self.assertTrue(stream.getvalue().endswith("\n"))
        stream = io.StringIO()
        _progress.Bar(stream)(10, 2500000, -1)
        self.assertIn("10 packets  2.5 MB", stream.getvalue())


if __name__ == "__main__":
    support.main()
