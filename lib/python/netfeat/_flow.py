"""Flows: packets grouped into conversations, one way or both ways.

Options are keyword arguments (netfeat.options(), section flow): flows(table, profile="nfstream", idle_ns=0).
"""

import collections
import ctypes
import os

import numpy

from . import _context, _options, _source
from ._column import Column, wrap
from ._ffi import C, Handle, ptr, strings
from ._table import Table

SECTIONS = ("flow",)

FlowColumn = collections.namedtuple("FlowColumn", "name type unit null_rule help")


def flow_profiles():
    """Names of the profiles, the default one first."""
    return _walk(C.flow_profile_name)


def _walk(function, *arguments):
    names = []
    while True:
        name = strings(function, *arguments, len(names))
        if name is None:
            return names
        names.append(name)


def flow_columns(profile="flows"):
    """The columns that a profile offers."""
    given = profile.encode()
    return [FlowColumn(name, strings(C.type_name, C.flow_column_type(given, i)),
                       strings(C.flow_column_unit, given, i), strings(C.flow_column_null_rule, given, i),
                       strings(C.flow_column_help, given, i))
            for i, name in enumerate(_walk(C.flow_column_name, given))]


def _names(function):
    return _walk(lambda i: function(i + 1))


class Flows:
    """A table of flows that is fed with packet tables in the order of capture; one thread at a time.

        flows = netfeat.Flows(profile="nfstream")
        for batch in netfeat.batches("large.pcap"):
            flows.feed(batch)
            ended = flows.take()
        flows.end()
        rest = flows.take()
    """

    def __init__(self, **options):
        self._setup(options, lambda context, bag, wrap: context.make(C.flows_new, context, bag, wrap=wrap))

    def _setup(self, options, make):
        self._context = _context.Context()
        bag = _options.build(self._context, options, SECTIONS)
        self._handle = make(self._context, bag, lambda pointer: Handle(pointer, C.flows_unref))
        self._as_parameter_ = self._handle

    @classmethod
    def from_table(cls, state, **options):
        """Go on from a state that to_table() gave, with the same options; it may come from a stranger."""
        made = cls.__new__(cls)
        made._setup(options, lambda context, bag, wrap: context.make(C.flows_from_table, context, bag, state, wrap=wrap))
        return made

    def feed(self, packets):
        """Account for a packet table; the column flow_id of its rows."""
        ids = ptr()
        _context.call(lambda: self._context.check(C.flows_feed(self, packets, ctypes.byref(ids))), self._context)
        return Column(ids.value)

    def expire(self, now_ns):
        """End the flows whose time-out has passed at now_ns; how many."""
        return self._context.check(C.flows_expire(self, now_ns))

    def end(self):
        """End all flows."""
        self._context.check(C.flows_end(self))
        return self

    def take(self):
        """Table of the flows that ended since the last take."""
        return self._context.make(C.flows_take_all, self, wrap=Table)

    def merge(self, other):
        """Add the flows of another shard of the capture: the exact result of one pass, or UnsupportedError."""
        self._context.check(C.flows_merge(self, other))
        return self

    def to_table(self):
        """The whole state as a table."""
        return self._context.make(C.flows_to_table, self, wrap=Table)

    @property
    def inputs(self):
        """Names of the packet columns that feed() uses: what a packet table for it must hold, and no others."""
        return _walk(C.flows_input_name, self)

    @property
    def counters(self):
        """packets, accounted, left_out, ..."""
        return {name: C.flows_count(self, i) for i, name in enumerate(_names(C.flows_count_name), 1)}


def flows(source, **options):
    """Table of the flows of a packet table, or of whatever netfeat.batches() takes.

    profile="flows" (default), "notebook", "nfstream", "cic", "cic2018", "zeek"; columns="*" for all columns.
    """
    engine = Flows(**options)
    for batch in [source] if isinstance(source, Table) else _source.batches(source, columns=engine.inputs):
        engine.feed(batch)
    return engine.end().take()


def flows_one_way(table, **options):
    """One-way flows of a whole packet table: what profile="notebook" gives, in about half of the time."""
    context = _context.current()
    return context.make(C.flows_one_way, context, table, _options.build(context, options, SECTIONS), wrap=Table)


def save_packets(inputs, row_ids, ids, path, **options):
    """Cut packets out of a capture, into a pcap file: those whose row of row_ids holds one of ids. How many.

        engine = netfeat.Flows()
        flow_ids = [engine.feed(batch) for batch in netfeat.batches("capture.pcap")]
        netfeat.save_packets("capture.pcap", flow_ids, suspicious["flow_id"].to_list(), "suspicious.pcap")

    row_ids is a column with a row for each packet of the capture, or a list of columns, one after the other: flow ids,
    packet numbers, or anything else. Options are those of netfeat.Source(); with a filter, use the same one as then.
    """
    parts = [row_ids] if isinstance(row_ids, Column) else list(row_ids)
    column = parts[0] if len(parts) == 1 else _joined(parts)
    wanted = numpy.ascontiguousarray([ids] if isinstance(ids, int) else list(ids), "u8")
    with _source.Source(inputs, **options) as source:
        context, handle = source._context, source._open_handle()  # pylint: disable=protected-access
        return _context.call(lambda: context.check(C.packets_save_file(
            context, handle, column, wanted.ctypes.data, len(wanted), os.fsencode(path), None)), context)


def _joined(columns):
    """One column out of several of unsigned integers."""
    if not columns:
        return wrap(numpy.zeros(0, "u8"))
    valid = [numpy.ones(len(column), bool) if column.valid is None else column.valid for column in columns]
    return wrap(numpy.concatenate([column.to_numpy() for column in columns]), numpy.concatenate(valid))
