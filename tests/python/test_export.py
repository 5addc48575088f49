"""Files and Arrow: round trips, capsules and their life, refusals."""

import ctypes
import gc
import os
import subprocess
import sys
import tempfile
import unittest

import netfeat
import support


def mixed(**arguments):
    return netfeat.read(support.pcap(support.mixed_packets()), **arguments)


def values(table):
    return {name: table[name].to_list() for name in table.columns}


class Taken:
    """A consumer: takes the struct out of a capsule as the protocol says, and offers it again."""

    def __init__(self, table, **options):
        self.capsule = table.arrow_stream(**options)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule


class Arrays:
    def __init__(self, table):
        self.pair = table.__arrow_c_array__()

    def __arrow_c_array__(self, requested_schema=None):
        return self.pair


class Arrow(unittest.TestCase):
    def test_stream_of_bytes_gives_the_table_back(self):
        table = mixed(payload=True)
        again = netfeat.from_arrow(Taken(table, addresses="bytes"))
        self.assertEqual(values(again), values(table))
        self.assertEqual(again["src_port"].definition, table["src_port"].definition)
        self.assertEqual(again["timestamp"].unit, "ns")

    def test_addresses_are_text_by_default(self):
        table = mixed()
        again = netfeat.from_arrow(table)
        self.assertEqual(again["src_ip"].type, "text")
        self.assertEqual(again["src_ip"].to_list(), table["src_ip"].to_list())

    def test_struct_array_and_batches_and_views(self):
        table = mixed(payload=True)
        self.assertEqual(values(netfeat.from_arrow(Arrays(table)))["dst_port"], table["dst_port"].to_list())
        for rows in (1, 8, 100):
            again = netfeat.from_arrow(Taken(table, addresses="bytes", batch_rows=rows, binary_view=True))
            self.assertEqual(values(again), values(table))

    def test_slices_and_empty_tables(self):
        table = mixed()
        for part in (table[3:8], table[9:], table.select([])):
            again = netfeat.from_arrow(Taken(part, addresses="bytes"))
            self.assertEqual(values(again), values(part))

    def test_capsules_outlive_and_are_given_back_unused(self):
        table = mixed()
        want = values(table)
        taken = Taken(table, addresses="bytes")
        unused = [table.__arrow_c_stream__(), table.__arrow_c_schema__(), table["src_ip"].__arrow_c_array__()]
        del table, unused
        gc.collect()
        self.assertEqual(values(netfeat.from_arrow(taken)), want)
        gc.collect()

    def test_capsule_names(self):
        is_valid = ctypes.pythonapi.PyCapsule_IsValid
        is_valid.argtypes = [ctypes.py_object, ctypes.c_char_p]
        table = mixed()
        schema, array = table.__arrow_c_array__()
        self.assertTrue(is_valid(schema, b"arrow_schema") and is_valid(array, b"arrow_array"))
        self.assertTrue(is_valid(table.__arrow_c_stream__(), b"arrow_array_stream"))

    def test_a_capsule_is_taken_once(self):
        taken = Taken(mixed())
        netfeat.from_arrow(taken)
        with self.assertRaises(netfeat.Error):
            netfeat.from_arrow(taken)

    def test_refuses_what_is_no_arrow(self):
        with self.assertRaises(TypeError):
            netfeat.from_arrow([1, 2])

    def test_interpreter_exit_with_live_capsules(self):
        code = ("import support, netfeat; t = netfeat.read(support.pcap(support.mixed_packets()));"
                "keep = [t.__arrow_c_stream__(), t.__arrow_c_array__(), t]; import builtins; builtins.kept = keep")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_round_trips(self):
        table = mixed(payload=True)
        for name, options in (("a.arrow", {}), ("b.arrow", {"compression": "zstd"}), ("c.arrow", {"compression": "lz4"}),
                              ("d.arrows", {}), ("e.arrow", {"batch_rows": 8})):
            with self.subTest(name):
                table.save(self.path(name), **options)
                for mode in ("mapped", "read"):
                    again = netfeat.load(self.path(name), load_mode=mode)
                    self.assertEqual(values(again), values(table))
                with open(self.path(name), "rb") as file:
                    self.assertEqual(values(netfeat.load(file.read())), values(table))
        self.assertEqual(len(os.listdir(self.folder)), 5, "no temporary file is left")

    def test_a_mapped_table_outlives_its_file(self):
        table = mixed()
        table.save(self.path("x.arrow"))
        again = netfeat.load(self.path("x.arrow"))
        column = again["src_port"].to_numpy()
        table.head(2).save(self.path("x.arrow"))
        os.remove(self.path("x.arrow"))
        del again
        gc.collect()
        self.assertEqual(column.tolist()[0], table["src_port"].to_list()[0])

    def test_descriptors(self):
        table = mixed()
        with open(self.path("pipe"), "w+b") as file:
            table.save(file)
            table.head(1).save(file.fileno())
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            self.assertEqual(values(netfeat.load(file.fileno())), values(table))
            self.assertEqual(len(netfeat.load(file.fileno())), 1, "read up to the end mark and not further")

    def test_csv_and_parquet(self):
        table = mixed()
        table.save(self.path("x.csv"))
        with open(self.path("x.csv"), encoding="utf-8", newline="") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0].split(","), table.columns)
        self.assertEqual(len(lines), 1 + len(table))
        table.save(self.path("x.parquet"))
        with open(self.path("x.parquet"), "rb") as file:
            self.assertEqual(file.read()[:4], b"PAR1")

    def test_writer(self):
        table = mixed()
        with netfeat.writer(self.path("w.arrow")) as writer:
            for first in range(0, len(table), 2):
                writer.write(table[first:first + 2])
        self.assertEqual(values(netfeat.load(self.path("w.arrow"))), values(table))
        with self.assertRaises(ZeroDivisionError):
            with netfeat.writer(self.path("w.arrow")) as writer:
                writer.write(table.head(1))
                raise ZeroDivisionError
        self.assertEqual(len(netfeat.load(self.path("w.arrow"))), len(table), "discarded: the old file stays")
        with netfeat.writer(self.path("v.arrow")) as writer:
            writer.write(table)
            with self.assertRaises(netfeat.ColumnTypeError):
                writer.write(table.select(["src_ip"]))
            writer.write(table)
        self.assertEqual(len(netfeat.load(self.path("v.arrow"))), 2 * len(table))
        with self.assertRaises(ValueError):
            writer.write(table)

    def test_damaged_files_say_where(self):
        table = mixed()
        table.save(self.path("x.arrow"))
        with open(self.path("x.arrow"), "rb") as file:
            data = file.read()
        with self.assertRaises(netfeat.Error) as caught:
            netfeat.load(data[:-20])
        self.assertGreaterEqual(caught.exception.offset, 0)
        with self.assertRaises(netfeat.MissingFileError):
            netfeat.load(self.path("nothing.arrow"))
        with self.assertRaises(TypeError):
            netfeat.load(3.5)


if __name__ == "__main__":
    support.main()
