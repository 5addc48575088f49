"""Features: one function each over a table or column, and the objects that remember.

Options are keyword arguments (netfeat.options(), section feature): cumulative(t, "frame_length", ["src_ip"],
null_key=1). catalogue() says formula, unit and NULL rule of every feature.
"""

import collections
import ctypes
import json

from . import _context, _options
from ._column import Column
from ._ffi import C, Handle, strings
from ._table import Table

SECTIONS = ("feature",)

Feature = collections.namedtuple("Feature", "id name version inputs formula unit divisor null_rule options")


def catalogue():
    """Every feature of the library."""
    found = []
    feature = C.feature_next(0)
    while feature > 0:
        found.append(Feature(
            feature, strings(C.feature_name, feature), C.feature_version(feature),
            _words(strings(C.feature_inputs, feature)), strings(C.feature_formula, feature),
            strings(C.feature_unit, feature), strings(C.feature_divisor, feature),
            strings(C.feature_null_rule, feature), _words(strings(C.feature_options, feature))))
        feature = C.feature_next(feature)
    return found


def _words(text):
    return [word for word in text.replace(" ", "").split(",") if word]


def _number(feature):
    number = C.feature_by_name(feature.encode())
    if number <= 0:
        raise ValueError("no feature is called %s" % feature)
    return number


def _bag(context, options):
    return _options.build(context, options, SECTIONS)


def _keys(table, names):
    return table._indexes([names] if isinstance(names, str) else list(names))


def _on_table(function, table, *arguments, wrap, options):
    context = _context.current()
    return context.make(function, context, table, *arguments, _bag(context, options), wrap=wrap)


def _on_column(function, column, wrap, options):
    if not isinstance(column, Column):
        raise TypeError("a netfeat.Column, not %s" % type(column).__name__)
    return _on_table(function, column, wrap=wrap, options=options)


# ---- running values ----

def cumulative(table, value, key=(), **options):
    """Running sum of column `value` within rows of equal key columns, this row included."""
    return _on_table(C.feature_cumulative, table, table._index(value), *_keys(table, key), wrap=Column, options=options)


def cumulative_bytes(table, key=(), **options):
    """Running sum of frame_length within rows of equal key columns, in bytes."""
    return _on_table(C.feature_cumulative_bytes, table, *_keys(table, key), wrap=Column, options=options)


def interarrival(table, key=(), **options):
    """Time since the previous row of the same keys: ns, or with seconds=1 float seconds; NULL for the first."""
    return _on_table(C.feature_interarrival, table, *_keys(table, key), wrap=Column, options=options)


def timestamp(table, unit_ns=10**9, relative=False):
    """Column timestamp in units of unit_ns, since 1970 or since the first row."""
    context = _context.current()
    return context.make(C.feature_timestamp, context, table, unit_ns, int(relative), wrap=Column)


# ---- numbers out of one column ----

def ip_numeric(column, **options):
    """Addresses as numbers, a table: ip_mode 1 hi and lo (exact), 2 float, 3 scaled to [0,1), 4 sixteen octets."""
    return _on_column(C.feature_ip_numeric, column, Table, options)


def frequency(column, **options):
    """How often each value occurs in this column: share, or count with statistic=2."""
    return _on_column(C.feature_frequency, column, Column, options)


def onehot(column, **options):
    """One BOOL column per value: learned ones, ports=1 (the notebook's), ports=2 (services), or map="23=telnet,..."."""
    return _on_column(C.feature_onehot, column, Table, options)


def ordinal(column, **options):
    """Rank of each value among the column's values."""
    return _on_column(C.feature_ordinal, column, Column, options)


def standard_scale(column, **options):
    """(value - mean) / sample standard deviation."""
    return _on_column(C.feature_standard_scale, column, Column, options)


def minmax_scale(column, **options):
    """(value - minimum) / (maximum - minimum)."""
    return _on_column(C.feature_minmax_scale, column, Column, options)


def tcp_flags(column, **options):
    """Nine BOOL columns out of a column of TCP flags."""
    return _on_column(C.feature_tcp_flags, column, Table, options)


def ip_private(column, **options):
    """1 for private addresses."""
    return _on_column(C.feature_ip_private, column, Column, options)


def port_class(column, **options):
    """1 well-known, 2 registered, 3 ephemeral."""
    return _on_column(C.feature_port_class, column, Column, options)


def direction(source, destination, **options):
    """1 outbound, 2 inbound, 3 inside, 4 outside, by the places of two address columns."""
    if not isinstance(source, Column) or not isinstance(destination, Column):
        raise TypeError("two netfeat.Column")
    return _on_table(C.feature_direction, source, destination, wrap=Column, options=options)


def mirai_syn(table, **options):
    """1 for a TCP SYN whose sequence number is the IPv4 destination address."""
    return _on_table(C.feature_mirai_syn, table, wrap=Column, options=options)


def payload_entropy(column, **options):
    """Bits per byte of each payload."""
    return _on_column(C.feature_payload_entropy, column, Column, options)


def payload_histogram(column, **options):
    """How often each byte value (or range, with bins=...) occurs in each payload."""
    return _on_column(C.feature_payload_histogram, column, Table, options)


# ---- tables about tables ----

def describe(table):
    """One row per numeric column: count, nulls, mean, std, min, q25, q50, q75, max."""
    context = _context.current()
    return context.make(C.feature_describe, context, table, wrap=Table)


def value_counts(column, **options):
    """value, count and share, most frequent first."""
    return _on_column(C.feature_value_counts, column, Table, options)


def incomplete_rows(table, names=()):
    """What complete_rows(names) would drop, column by column."""
    context = _context.current()
    return context.make(C.feature_incomplete_rows, context, table, *_keys(table, names), wrap=Table)


def window(table, value, key=(), distinct=None, **options):
    """Tumbling windows of window_ns: count, sum, mean, std, and distinct values per window and key."""
    other = -1 if distinct is None else table._index(distinct)
    return _on_table(C.feature_window, table, table._index(value), other, *_keys(table, key), wrap=Table,
                     options=options)


def damped(table, **options):
    """Damped incremental statistics, 100 or (damped_columns=115) 115 columns."""
    return _on_table(C.feature_damped, table, wrap=Table, options=options)


def ports(which, **options):
    """A port map as a table of value and name: "notebook" or "services"."""
    context = _context.current()
    number = {"notebook": 1, "services": 2}[which]
    return context.make(C.feature_ports, context, number, _bag(context, options), wrap=Table)


# ---- what remembers ----

class _Stateful:
    """An object of the library with its context; one thread at a time."""

    _unref = None
    _from_table = None
    _to_table = None

    def __init__(self, context, pointer):
        self._context = context
        self._handle = Handle(pointer, type(self)._unref)
        self._as_parameter_ = self._handle

    def _call(self, function, *arguments):
        return self._context.check(function(self, *arguments))

    def _table(self, function, *arguments):
        return self._context.make(function, self, *arguments, wrap=Table)

    def _same(self, other):
        if type(other) is not type(self):
            raise TypeError("a %s, not %s" % (type(self).__name__, type(other).__name__))
        return other

    def to_table(self):
        """The whole state as a table: to_table().save(path)."""
        return self._context.make(type(self)._to_table, self._context, self, wrap=Table)

    @classmethod
    def from_table(cls, table):
        """And back; the table may come from a stranger."""
        context = _context.Context()
        return context.make(cls._from_table, context, table, wrap=lambda pointer: cls._wrap(context, pointer))

    @classmethod
    def _wrap(cls, context, pointer):
        made = cls.__new__(cls)
        _Stateful.__init__(made, context, pointer)
        return made


class Encoder(_Stateful):
    """frequency, onehot, ordinal, standard_scale, minmax_scale: fit (repeatedly), seal, apply anywhere."""

    _unref, _from_table, _to_table = C.encoder_unref, C.encoder_from_table, C.encoder_to_table

    def __init__(self, feature, **options):
        context = _context.Context()
        pointer = context.make(C.encoder_new, context, _number(feature), _bag(context, options), wrap=lambda p: p)
        super().__init__(context, pointer)

    def fit(self, column):
        """Learn from one more column."""
        self._call(C.encoder_fit, column)
        return self

    def merge(self, other):
        """Learn all that other has learned."""
        self._call(C.encoder_merge, self._same(other))
        return self

    def seal(self):
        """Stop learning."""
        self._call(C.encoder_seal)
        return self

    def apply(self, column):
        """A table of the encoded column or columns."""
        return self._context.make(C.encoder_apply, self._context, self, column, wrap=Table)

    def mapping(self):
        """What was learned, for people."""
        return self._context.make(C.encoder_mapping, self._context, self, wrap=Table)


def _names(names):
    return (ctypes.c_char_p * len(names))(*[name.encode() for name in names]), len(names)


class Accumulator(_Stateful):
    """cumulative, cumulative_bytes, interarrival, timestamp, window, damped: state carried from batch to batch."""

    _unref, _from_table, _to_table = C.accumulator_unref, C.accumulator_from_table, C.accumulator_to_table

    def __init__(self, feature, inputs=(), **options):
        context = _context.Context()
        pointer = context.make(C.accumulator_new, context, _number(feature), *_names(list(inputs)),
                               _bag(context, options), wrap=lambda p: p)
        super().__init__(context, pointer)

    def push(self, table):
        """Feed one table; the rows that follow from it."""
        return self._table(C.accumulator_push, table)

    def finish(self):
        """window: the windows that are still open."""
        return self._table(C.accumulator_finish)

    def merge(self, other):
        """Go on as if the rows of both had been pushed here."""
        self._call(C.accumulator_merge, self._same(other))
        return self

    @property
    def counters(self):
        """rows, keys, evicted, late."""
        return {name: C.accumulator_count(self, i) for i, name in enumerate(("rows", "keys", "evicted", "late"), 1)}


class Pipeline(_Stateful):
    """An ordered list of features: fitted once, saved as one table, applied batch by batch.

        pipeline = netfeat.Pipeline()
        pipeline.add("cumulative", ["frame_length", "src_ip"], "src_ip_total_bytes")
        pipeline.add("frequency", ["dst_port"], "dst_port_frequency")
        pipeline.fit(training).seal()
        pipeline.to_table().save("pipeline.arrow")
        netfeat.Pipeline.from_table(netfeat.load("pipeline.arrow")).apply(table)
    """

    _unref, _from_table, _to_table = C.pipeline_unref, C.pipeline_from_table, C.pipeline_to_table

    def __init__(self):
        context = _context.Context()
        super().__init__(context, context.make(C.pipeline_new, context, wrap=lambda p: p))

    @classmethod
    def from_json(cls, text):
        """Out of JSON text, or of the same as a dict."""
        data = (text if isinstance(text, str) else json.dumps(text)).encode()
        context = _context.Context()
        return context.make(C.pipeline_from_json, context, data, len(data),
                            wrap=lambda pointer: cls._wrap(context, pointer))

    def add(self, feature, inputs=(), output=None, **options):
        """One more step."""
        self._call(C.pipeline_add, _number(feature), *_names(list(inputs)), None if output is None else output.encode(),
                   _bag(self._context, options))
        return self

    def fit(self, table):
        """Let the encoders learn from one more table."""
        self._call(C.pipeline_fit, table)
        return self

    def merge(self, other):
        """Learn all that other, of the same steps, has learned."""
        self._call(C.pipeline_merge, self._same(other))
        return self

    def seal(self):
        """Stop learning, and begin."""
        self._call(C.pipeline_seal)
        return self

    def apply(self, table):
        """The columns of all steps for one table; goes on from the table before."""
        return self._table(C.pipeline_apply, table)

    def reset(self):
        """Forget what passed through apply."""
        self._call(C.pipeline_reset)
        return self

    def __len__(self):
        return C.pipeline_steps(self)

    @property
    def steps(self):
        """(feature, inputs, output) of each step."""
        return [(strings(C.feature_name, C.pipeline_step_feature(self, i)),
                 [strings(C.pipeline_step_input, self, i, k) for k in range(C.pipeline_step_inputs(self, i))],
                 strings(C.pipeline_step_output, self, i)) for i in range(len(self))]
