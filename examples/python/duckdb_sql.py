#!/usr/bin/env python3
"""SQL over captures: their packet table goes into DuckDB as Arrow memory, the answer comes back as a table.

usage: duckdb_sql.py [--library libduckdb.so] [--columns a,b,...] SQL CAPTURE...
The table is called packets; its columns are those of the library's catalogue. For example, who scans for Telnet:

    SELECT src_ip, count(DISTINCT dst_ip) AS targets FROM packets
    WHERE dst_port IN (23, 2323) GROUP BY src_ip ORDER BY targets DESC LIMIT 10

DuckDB's sum() of whole numbers is a HUGEINT, which the table does not know: CAST(sum(x) AS BIGINT). All that is needed
of DuckDB is its C library (libduckdb.so), reached by ADBC, Arrow's database interface."""

import argparse
import ctypes
import sys

import netfeat

pointer = ctypes.c_void_p
ADBC_VERSION_1_0 = 1000000
# The functions of an ADBC 1.0 driver in the order of its struct; with what they take between handle and error.
DRIVER = [
    ("private_data",), ("private_manager",), ("release",), ("database_init",), ("database_new",),
    ("database_set_option", ctypes.c_char_p, ctypes.c_char_p), ("database_release",), ("commit",), ("get_info",),
    ("get_objects",), ("get_table_schema",), ("get_table_types",), ("connection_init", pointer), ("connection_new",),
    ("connection_set_option",), ("read_partition",), ("connection_release",), ("rollback",), ("bind",),
    ("bind_stream", pointer), ("execute_query", pointer, pointer), ("execute_partitions",), ("get_parameter_schema",),
    ("statement_new", pointer), ("prepare",), ("statement_release",),
    ("statement_set_option", ctypes.c_char_p, ctypes.c_char_p), ("set_sql_query", ctypes.c_char_p),
]  # fmt: skip
SLOTS = {name: (number, arguments) for number, (name, *arguments) in enumerate(DRIVER)}


class Handle(ctypes.Structure):
    """A database, a connection or a statement."""

    _fields_ = [("private_data", pointer), ("private_driver", pointer)]


class Failure(ctypes.Structure):
    """What went wrong, in DuckDB's words."""

    _fields_ = [("message", ctypes.c_char_p), ("vendor_code", ctypes.c_int32), ("sqlstate", ctypes.c_char * 5),
                ("release", pointer), ("private_data", pointer), ("private_driver", pointer)]


class Answer:  # pylint: disable=too-few-public-methods
    """An Arrow stream of DuckDB's, for whoever takes Arrow streams."""

    def __init__(self):
        self.stream = ctypes.create_string_buffer(5 * ctypes.sizeof(pointer))

    def __arrow_c_stream__(self, requested_schema=None):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [pointer, ctypes.c_char_p, pointer]
        return new(ctypes.addressof(self.stream), b"arrow_array_stream", None)


class Database:
    """A DuckDB database in memory with one connection."""

    def __init__(self, library):
        self._slots = (pointer * 128)()  # later versions of the interface have more functions
        self._library = ctypes.CDLL(library)
        failure = Failure()
        if self._library.duckdb_adbc_init(ADBC_VERSION_1_0, self._slots, ctypes.byref(failure)) != 0:
            raise RuntimeError("%s is no ADBC driver" % library)
        self._database, self._connection = Handle(), Handle()
        self._call("database_new", self._database)
        self._call("database_init", self._database)
        self._call("connection_new", self._connection)
        self._call("connection_init", self._connection, ctypes.byref(self._database))

    def _call(self, name, handle, *arguments):
        number, types = SLOTS[name]
        failure = Failure()
        if ctypes.CFUNCTYPE(ctypes.c_uint8, pointer, *types, pointer)(self._slots[number])(ctypes.byref(handle), *arguments, ctypes.byref(failure)) != 0:
            raise RuntimeError((failure.message or name.encode()).decode())

    def _statement(self):
        statement = Handle()
        self._call("statement_new", self._connection, ctypes.byref(statement))
        return statement

    def add(self, name, table):
        """Make `table` known as `name`."""
        capsule = table.__arrow_c_stream__()
        address = ctypes.pythonapi.PyCapsule_GetPointer
        address.restype, address.argtypes = pointer, [ctypes.py_object, ctypes.c_char_p]
        statement = self._statement()
        try:
            self._call("statement_set_option", statement, b"adbc.ingest.target_table", name.encode())
            self._call("bind_stream", statement, address(capsule, b"arrow_array_stream"))
            self._call("execute_query", statement, None, None)
        finally:
            self._call("statement_release", statement)

    def sql(self, text):
        """The answer as a netfeat.Table."""
        answer, rows, statement = Answer(), ctypes.c_int64(), self._statement()
        try:
            self._call("set_sql_query", statement, text.encode())
            self._call("execute_query", statement, answer.stream, ctypes.byref(rows))
            return netfeat.from_arrow(answer)
        finally:
            self._call("statement_release", statement)

    def close(self):
        """Give all back."""
        self._call("connection_release", self._connection)
        self._call("database_release", self._database)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default="libduckdb.so", help="DuckDB's C library")
    parser.add_argument("--columns", help="read only these columns of the captures")
    parser.add_argument("sql")
    parser.add_argument("captures", nargs="+")
    arguments = parser.parse_args()
    columns = arguments.columns.split(",") if arguments.columns else None
    try:
        database = Database(arguments.library)
        database.add("packets", netfeat.read(arguments.captures, columns=columns))
        answer = database.sql(arguments.sql)
        database.close()
    except (OSError, RuntimeError, netfeat.Error) as error:
        sys.exit("duckdb_sql.py: %s" % error)
    answer.save(sys.stdout.fileno(), format="csv")


main()
