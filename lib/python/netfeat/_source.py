"""Inputs: netfeat.read(), netfeat.batches() and netfeat.Source."""

import collections
import ctypes
import os
import threading

from . import _context, _error, _input, _options
from ._ffi import C, Handle, i64, strings, u32
from ._notes import list_interfaces, take_notes
from ._progress import CANCELLED, Meter
from ._table import Table, check_key, concat

SECTIONS = ("source", "table")
FILE_INDEX = "source_file_index"
#: A call for so many rows of a file takes a few milliseconds: not worth a thread.
QUICK_ROWS = 16384

Packet = collections.namedtuple("Packet", "number time_ns link_type interface wire_length data")


def _keywords(columns, filter, payload, options, merge=False, outer=False):  # pylint: disable=redefined-builtin
    """Keyword arguments under their full names."""
    if isinstance(columns, (list, tuple)):
        if not columns:
            raise ValueError("columns is an empty list")
        columns = ",".join(columns)
    options = _options.full_names(options, SECTIONS)
    given = {"table_columns": columns, "source_filter": filter, "table_keep_payload": payload,
             "source_merge": True if merge else None, "table_tunnels": "outermost" if outer else None}
    for name, value in given.items():
        if value is None:
            continue
        if name in options:
            raise TypeError("%s is given twice" % name)
        options[name] = value
    return options


class Source:
    """One input, read step by step.

    `source` is a path ("-": standard input), a descriptor, a file object, or the bytes of a capture, compressed or not;
    or several paths, a directory or a pattern, whose files are read one after the other, or with merge=True in the order
    of their packets' times. Instead of it, live="eth0" captures from a network device until interrupted. Read packets by
    iterating, or tables with read() and batches(), to which outer and anonymize apply as in netfeat.read(). One thread at
    a time.
    """

    def __init__(self, source=None, *, live=None, merge=False, columns=None, filter=None, payload=None, outer=False,
                 anonymize=None, **options):
        # pylint: disable=redefined-builtin
        if (source is None) == (live is None):
            raise TypeError("either a source or live=DEVICE")
        keywords = _keywords(columns, filter, payload, options, merge, outer)
        if live is not None:
            entry = _input.Device(live)
        else:
            entries = _input.list_inputs(source, merge)
            if not entries:
                raise ValueError("there are no inputs")
            entry = entries[0] if len(entries) == 1 else _input.list_inputs(source, True)[0]
        self._setup(entry, _context.Context(), keywords, anonymize)

    @classmethod
    def _inside(cls, entry, context, keywords, key=None):
        """One of several inputs that share a context."""
        self = cls.__new__(cls)
        self._setup(entry, context, keywords, key)
        return self

    def _setup(self, entry, context, keywords, key):
        self._key = check_key(key)
        self._lock = threading.RLock()
        self._input = entry
        self._context = context
        self._rest = None  # read, but not handed out yet
        self._watched = False
        self._filtered = bool(keywords.get("source_filter"))
        self._options = _options.build(context, keywords, SECTIONS)
        self._handle = self._long(lambda: self._cancellable(lambda: entry.open(context, self._options)),
                                  quick=not entry.waits)

    # ---- calls ----

    def _cancellable(self, function):
        """function(), repeated when all that stopped it was an interrupt meant for an earlier call."""
        stale, self._context.interrupted = self._context.interrupted, False
        try:
            return function()
        except _error.CancelledError:
            if not stale:
                raise
            return function()

    def _long(self, function, quick=False, on_tick=None):
        """function(), so that Ctrl-C ends it."""
        try:
            if quick and on_tick is None:
                return function()
            return _context.call(function, self._context, on_tick)
        except _error.Error as problem:
            problem.path = self._input.name
            raise

    def _open_handle(self):
        if self._handle is None:
            raise _error.StateError("the source is closed")
        return self._handle

    @property
    def totals(self):
        """Packets and bytes so far, also while a call runs."""
        return self._context.totals[:2]

    # ---- tables ----

    def append_to(self, table, rows=-1):
        """Append up to `rows` packets (negative: all) to an unsealed table."""
        goal = C.table_rows(table) + rows

        def append():
            left = goal - C.table_rows(table) if rows >= 0 else -1
            self._context.check(C.table_append_source(table, self._open_handle(), left))

        self._cancellable(append)

    def _fill(self, rows, on_tick=None):
        """(Table of up to `rows` further packets, error that ended it or None)"""
        with self._lock:
            if on_tick is not None and not self._watched:
                self._context.watch()
                self._watched = True
            rest, self._rest = self._rest, None
            if rest is not None and rows is not None and len(rest) >= rows:
                self._rest = rest[rows:]
                return rest[:rows], None
            parts = [] if rest is None else [rest]
            problem = None
            growing = self._context.make(C.table_new, self._context, self._options,
                                         wrap=lambda pointer: Handle(pointer, C.table_unref))
            left = -1 if rows is None else rows - sum(map(len, parts))
            quick = 0 <= left <= QUICK_ROWS and not self._input.waits and not self._filtered
            try:
                self._long(lambda: self.append_to(growing, left), quick, on_tick)
            except _error.Error as error:
                problem = error
            except BaseException:  # what was read so far is the beginning of the next table
                self._rest = self._finish(parts, growing)
                raise
            result = self._finish(parts, growing)
            if isinstance(problem, _error.CancelledError):
                self._rest = result
                raise problem
            return result, problem

    def _finish(self, parts, growing):
        self._context.check(C.table_seal(growing))
        last = _finished(growing, counters=self.counters, key=self._key)
        return concat(parts + [last], counters=last.counters) if parts else last

    def read(self, rows=None):
        """Table of the next `rows` packets, or of all that are left; without rows at the end of the input.

        An error in the input is raised with the rows before it in its attribute `table`.
        """
        result, problem = self._fill(rows)
        if problem is not None:
            problem.table = result
            raise problem
        return result

    def batches(self, rows=1 << 20):
        """Tables of `rows` packets until the input ends. The rows before an error come first, then the error."""
        return _batches_of(self, rows, None)

    # ---- packets ----

    def __iter__(self):
        return self

    def __next__(self):
        if self._key is not None:
            raise TypeError("packets with anonymize: their bytes hold the addresses; read tables")
        with self._lock:
            handle = self._open_handle()
            step = lambda: self._context.check(C.source_step(handle))  # noqa: E731
            if not self._long(lambda: self._cancellable(step), not self._input.waits and not self._filtered):
                raise StopIteration
            time, length = i64(), u32()
            has_time = C.source_packet_time(handle, ctypes.byref(time)) == 1
            data = C.source_packet_data(handle, ctypes.byref(length))
            return Packet(C.source_packet_number(handle), time.value if has_time else None,
                          C.source_packet_link_type(handle), C.source_packet_interface(handle),
                          C.source_packet_wire_length(handle), ctypes.string_at(data, length.value))

    # ---- state ----

    @property
    def paused(self):
        """Nothing more to read now: at the end, or a push source whose queue is empty. Never true of a device."""
        return not self._input.endless

    @property
    def ended(self):
        """The end was reached: no packet will come any more."""
        return C.source_ended(self._open_handle()) == 1

    @property
    def files(self):
        """Paths of the files, in the order of file_index, when there are several."""
        handle = self._open_handle()
        first = i64()
        C.options_get_int(self._options, C.option_by_name(b"source.file_index"), ctypes.byref(first))
        paths = [C.source_file_path(handle, first.value + i) for i in range(C.source_file_count(handle))]
        return [os.fsdecode(path) for path in paths if path is not None]

    @property
    def interfaces(self):
        """The interfaces that the capture described so far."""
        return list_interfaces(self._open_handle())

    def notes(self):
        """Take the comments and names that were met so far; with the option max_notes."""
        return list(take_notes(self._open_handle()))

    @property
    def counters(self):
        """How many records were read, delivered, filtered, ... so far."""
        found = {}
        which = 1
        while C.source_count_name(which) is not None:
            found[strings(C.source_count_name, which)] = C.source_count(self._open_handle(), which)
            which += 1
        return found

    def close(self):
        """Give the input back. Tables read from it stay."""
        with self._lock:
            self._handle = self._rest = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _finished(handle, errors=(), counters=None, key=None):
    """Table with its own reference to a sealed table; with a key, its pseudonymous twin."""
    table = Table(C.table_ref(handle), errors, counters)
    if key is not None:
        table = table.anonymize(key)
        table.errors, table.counters = tuple(errors), dict(counters or {})
    return table


def _batches_of(source, rows, on_tick):
    if not isinstance(rows, int) or rows < 1:
        raise ValueError("rows is a positive number")
    while True:
        result, problem = source._fill(rows, on_tick)  # pylint: disable=protected-access
        if len(result):
            yield result
        if problem is not None:
            raise problem
        if len(result) < rows and source.paused:
            return


def _total(entries):
    sizes = [entry.size for entry in entries]
    return sum(sizes) if all(size >= 0 for size in sizes) else -1


def _check_on_error(on_error):
    if on_error not in ("raise", "keep"):
        raise ValueError('on_error is "raise" or "keep", not %r' % (on_error,))


def _add(sums, counters):
    for name, count in counters.items():
        sums[name] = sums.get(name, 0) + count


class _Run:
    """Inputs that one thread reads into one table, one after the other."""

    def __init__(self, entries, first, keywords, keep, key):
        self._key = key
        self._entries = entries
        self._first = first
        self._keywords = keywords
        self._keep = keep
        self.context = _context.Context()
        self.context.watch()
        options = _options.build(self.context, keywords, SECTIONS)
        self._table = self.context.make(C.table_new, self.context, options,
                                        wrap=lambda pointer: Handle(pointer, C.table_unref))
        self._busy = False
        self.counters = {}
        self.errors = []

    @property
    def totals(self):
        """Packets and bytes so far."""
        packets, count = self.context.totals[:2] if self._busy else (0, 0)
        return self.counters.get("records", 0) + packets, self.counters.get("bytes", 0) + count

    def _read(self, entry, index):
        keywords = self._keywords
        if FILE_INDEX not in keywords:
            keywords = dict(keywords, **{FILE_INDEX: index})
        source = Source._inside(entry, self.context, keywords)  # pylint: disable=protected-access
        self._busy = True
        try:
            source.append_to(self._table)
        except _error.Error as problem:
            problem.path = entry.name
            raise
        finally:
            self._busy = False
            _add(self.counters, source.counters)

    def work(self):
        """Read all of it."""
        for index, entry in enumerate(self._entries, self._first):
            try:
                self._read(entry, index)
            except _error.INPUT_ERRORS as problem:
                if not self._keep:
                    raise
                self.errors.append(problem)

    def table(self):
        """What there is."""
        self.context.check(C.table_seal(self._table))
        return _finished(self._table, self.errors, self.counters, self._key)


def _cut(entries, pieces):
    """Lists of neighbours, at most `pieces`, of similar size."""
    sizes = [max(entry.size, 0) + 4096 for entry in entries]
    total, used, groups = sum(sizes), 0, [[]]
    for entry, size in zip(entries, sizes):
        if groups[-1] and used + size / 2 > len(groups) * total / pieces and len(groups) < pieces:
            groups.append([])
        groups[-1].append(entry)
        used += size
    return groups


def read(inputs, *, columns=None, filter=None, payload=False, merge=False, outer=False, anonymize=None, threads=None,
         progress=None, on_error="raise", **options):
    # pylint: disable=redefined-builtin
    """Read captures into one table.

    inputs    a path ("-": standard input), a directory, a pattern like "captures/*.pcap.gz", a descriptor, a file object,
              the bytes of a capture, or a list of these, compressed or not; the rows of a list come in its order (files
              of directories and patterns by name), and the column file_index says which is which
    columns   names of the columns wanted; None: all but payload. See netfeat.fields()
    filter    pcap-filter expression: only matching packets
    payload   True adds the column payload
    merge     True for the packets of all files (paths only) in the order of their times
    outer     True for the outermost IP header of packets in tunnels, not the innermost
    anonymize 32 secret bytes: pseudonyms for addresses, no payload; see Table.anonymize()
    threads   how many inputs to read at a time; None: one per processor. One input is always read by one thread
    progress  True for a progress bar on stderr, or a function of packets, bytes and bytes in all (-1: unknown) that
              returns true to stop
    on_error  what a damaged input does. "raise": its exception, whose attribute `table` holds all rows before the
              damage; "keep": nothing, the exception goes to the table's `errors`, the inputs behind it are read
    options   see netfeat.options(); max_rows=..., max_layers=..., ...
    """
    _check_on_error(on_error)
    keywords = _keywords(columns, filter, payload, options, merge, outer)
    key = check_key(anonymize)
    entries = _input.list_inputs(inputs, merge)
    if threads is None:
        threads = len(os.sched_getaffinity(0))
    if threads < 1:
        raise ValueError("threads is a positive number")
    if keywords.get("table_max_rows"):
        threads = 1  # the bound is one for the whole table
    groups = _cut(entries, 1 if threads == 1 else 4 * threads)
    runs, first = [], 0
    for group in groups:
        runs.append(_Run(group, first, keywords, on_error == "keep", key))
        first += len(group)
    meter = Meter(progress, _total(entries), runs)
    crew = _context.Crew([run.work for run in runs], threads, lambda: [run.context for run in runs], meter.on_tick)
    try:
        outcomes = crew.run()
    finally:
        meter.close()
    return _gather(runs, outcomes)


def _gather(runs, outcomes):
    problem = None
    done = []
    for run, outcome in zip(runs, outcomes):
        done.append(run)
        problem = outcome[1]
        if problem is not None:
            break
    if problem is not None and not isinstance(problem, _error.Error):
        raise problem
    tables = [run.table() for run in done]
    if len(tables) == 1:
        result = tables[0]
    else:
        counters = {}
        for run in done:
            _add(counters, run.counters)
        result = concat(tables, [error for run in done for error in run.errors], counters)
    if problem is not None:
        problem.table = result
        raise problem
    return result


class Batches:
    """Iterator over tables; see netfeat.batches().

    errors    the damaged inputs so far, with on_error="keep"
    counters  of the inputs so far
    """

    def __init__(self, entries, rows, keywords, progress, keep, key):
        self._key = key
        self.errors = []
        self.counters = {}
        self._keep = keep
        self._done = (0, 0)
        self._source = None
        self._meter = Meter(progress, _total(entries), [self])
        self._tables = self._run(entries, rows, keywords)

    @property
    def totals(self):
        """Packets and bytes so far."""
        packets, count = self._source.totals if self._source is not None else (0, 0)
        return self.counters.get("records", 0) + packets, self.counters.get("bytes", 0) + count

    def _run(self, entries, rows, keywords):
        for index, entry in enumerate(entries):
            words = keywords
            if FILE_INDEX not in words:
                words = dict(words, **{FILE_INDEX: index})
            try:
                source = Source._inside(entry, _context.Context(), words, self._key)  # pylint: disable=protected-access
                self._source, abandoned = source, False
                try:
                    yield from _batches_of(source, rows, self._meter.on_tick)
                except GeneratorExit:  # by the garbage collector, which may have given the source back before
                    abandoned = True
                    raise
                finally:
                    self._source = None
                    if not abandoned:
                        _add(self.counters, source.counters)
            except _error.INPUT_ERRORS as problem:
                if not self._keep:
                    raise
                self.errors.append(problem)

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self._tables)
        except BaseException:
            self._meter.close()
            raise


def batches(inputs, rows=1 << 20, *, columns=None, filter=None, payload=False, merge=False, outer=False, anonymize=None,
            progress=None, on_error="raise", **options):
    # pylint: disable=redefined-builtin
    """Read captures larger than memory: an iterator over tables of at most `rows` rows.

    Together they hold the same rows as netfeat.read() of the same arguments gives. A table never spans two inputs.
    The rows before an error come first, then the exception; with on_error="keep" it goes to the iterator's `errors`
    and the next input follows.
    """
    _check_on_error(on_error)
    if not isinstance(rows, int) or rows < 1:
        raise ValueError("rows is a positive number")
    keywords = _keywords(columns, filter, payload, options, merge, outer)
    return Batches(_input.list_inputs(inputs, merge), rows, keywords, progress, on_error == "keep", check_key(anonymize))
