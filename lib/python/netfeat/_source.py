"""Inputs: netfeat.read(), netfeat.batches() and netfeat.Source."""

import collections
import ctypes
import os
import stat
import threading

import numpy

from . import _context, _error, _options
from ._ffi import C, Handle, i64, strings, u32
from ._progress import CANCELLED, Meter
from ._table import Table, concat

SECTIONS = ("source", "table")
FILE_INDEX = "source_file_index"
#: A call for so many rows of a file takes a few milliseconds: not worth a thread.
QUICK_ROWS = 16384

Packet = collections.namedtuple("Packet", "number time_ns link_type interface wire_length data")


class _Input:
    """What the user gave as an input: a path, a descriptor, a file object, or the bytes themselves."""

    def __init__(self, given):
        self.given = given
        self.path = self.descriptor = self.memory = None
        self.size = -1
        self.waits = True  # a read may block for long
        if isinstance(given, (str, os.PathLike)):
            self.path = os.fspath(given)
            self._look(self.path)
        elif isinstance(given, int) and not isinstance(given, bool):
            self.descriptor = given
            self._look(given)
        elif isinstance(given, (bytes, bytearray, memoryview, numpy.ndarray)):
            self._memory(given)
        elif hasattr(given, "getbuffer"):
            self._memory(given.getbuffer())
        elif hasattr(given, "fileno"):
            self.descriptor = given.fileno()
            self._look(self.descriptor)
        else:
            raise TypeError("a path, a descriptor, a file or bytes, not %s" % type(given).__name__)

    def _memory(self, data):
        self.memory = numpy.frombuffer(data, "u1") if memoryview(data).nbytes else numpy.empty(0, "u1")
        self.size = len(self.memory)
        self.waits = False

    def _look(self, where):
        if where == "-":
            where = 0
        try:
            status = os.stat(where)
        except (OSError, ValueError):
            return  # opening it will say what is wrong
        self.waits = not stat.S_ISREG(status.st_mode)
        self.size = status.st_size if not self.waits else -1
        self.is_fifo = stat.S_ISFIFO(status.st_mode) and not isinstance(where, int)

    is_fifo = False

    @property
    def name(self):
        """For messages."""
        if self.path is not None:
            return self.path
        return "descriptor %d" % self.descriptor if self.descriptor is not None else "memory"

    def open(self, context, options):
        """netfeat_source as a Handle."""

        def wrap(pointer):
            handle = Handle(pointer, C.source_unref)
            handle.memory = self.memory  # must live as long as the source
            return handle

        if self.memory is not None:
            return context.make(C.source_open_memory, context, self.memory.ctypes.data if self.size else None,
                                self.size, options, wrap=wrap)
        if self.descriptor is not None:
            return context.make(C.source_open_fd, context, self.descriptor, options, wrap=wrap)
        if self.is_fifo:  # without O_NONBLOCK nothing could end the wait for a writer
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return context.make(C.source_open_fd, context, descriptor, options, wrap=wrap)
            finally:
                os.close(descriptor)
        path = os.fsencode(self.path)
        if b"\0" in path:
            raise ValueError("the path holds a NUL character")
        return context.make(C.source_open_file, context, path, options, wrap=wrap)


def _keywords(columns, filter, payload, options):  # pylint: disable=redefined-builtin
    """Keyword arguments under their full names."""
    if isinstance(columns, (list, tuple)):
        if not columns:
            raise ValueError("columns is an empty list")
        columns = ",".join(columns)
    options = _options.full_names(options, SECTIONS)
    given = {"table_columns": columns, "source_filter": filter, "table_keep_payload": payload}
    for name, value in given.items():
        if value is None:
            continue
        if name in options:
            raise TypeError("%s is given twice" % name)
        options[name] = value
    return options


class Source:
    """One input, read step by step.

    `source` is a path ("-": standard input), a descriptor, a file object, or the bytes of a capture. Read packets by
    iterating, or tables with read() and batches(). One thread at a time.
    """

    def __init__(self, source, *, columns=None, filter=None, payload=None, **options):
        # pylint: disable=redefined-builtin
        self._setup(_Input(source), _context.Context(), _keywords(columns, filter, payload, options))

    @classmethod
    def _inside(cls, entry, context, keywords):
        """One of several inputs that share a context."""
        self = cls.__new__(cls)
        self._setup(entry, context, keywords)
        return self

    def _setup(self, entry, context, keywords):
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
        last = _finished(growing, counters=self.counters)
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


def _finished(handle, errors=(), counters=None):
    """Table with its own reference to a sealed table."""
    return Table(C.table_ref(handle), errors, counters)


def _batches_of(source, rows, on_tick):
    if not isinstance(rows, int) or rows < 1:
        raise ValueError("rows is a positive number")
    while True:
        result, problem = source._fill(rows, on_tick)  # pylint: disable=protected-access
        if len(result):
            yield result
        if problem is not None:
            raise problem
        if len(result) < rows:
            return


def _list_inputs(inputs):
    if isinstance(inputs, (list, tuple)) or (hasattr(inputs, "__next__") and not hasattr(inputs, "read")):
        return [_Input(given) for given in inputs]
    return [_Input(inputs)]


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

    def __init__(self, entries, first, keywords, keep):
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
        return _finished(self._table, self.errors, self.counters)


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


def read(inputs, *, columns=None, filter=None, payload=False, threads=None, progress=None, on_error="raise",
         **options):
    # pylint: disable=redefined-builtin
    """Read captures into one table.

    inputs    a path ("-": standard input), a descriptor, a file object, the bytes of a capture, or a list of these;
              the rows of a list come in its order, and the column file_index says which is which
    columns   names of the columns wanted; None: all but payload. See netfeat.fields()
    filter    pcap-filter expression: only matching packets
    payload   True adds the column payload
    threads   how many inputs to read at a time; None: one per processor. One input is always read by one thread
    progress  True for a progress bar on stderr, or a function of packets, bytes and bytes in all (-1: unknown) that
              returns true to stop
    on_error  what a damaged input does. "raise": its exception, whose attribute `table` holds all rows before the
              damage; "keep": nothing, the exception goes to the table's `errors`, the inputs behind it are read
    options   see netfeat.options(); max_rows=..., max_layers=..., ...
    """
    _check_on_error(on_error)
    keywords = _keywords(columns, filter, payload, options)
    entries = _list_inputs(inputs)
    if threads is None:
        threads = len(os.sched_getaffinity(0))
    if threads < 1:
        raise ValueError("threads is a positive number")
    if keywords.get("table_max_rows"):
        threads = 1  # the bound is one for the whole table
    groups = _cut(entries, 1 if threads == 1 else 4 * threads)
    runs, first = [], 0
    for group in groups:
        runs.append(_Run(group, first, keywords, on_error == "keep"))
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

    def __init__(self, entries, rows, keywords, progress, keep):
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
                source = Source._inside(entry, _context.Context(), words)  # pylint: disable=protected-access
                self._source = source
                try:
                    yield from _batches_of(source, rows, self._meter.on_tick)
                finally:
                    self._source = None
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


def batches(inputs, rows=1 << 20, *, columns=None, filter=None, payload=False, progress=None, on_error="raise",
            **options):
    # pylint: disable=redefined-builtin
    """Read captures larger than memory: an iterator over tables of at most `rows` rows.

    Together they hold the same rows as netfeat.read() of the same arguments gives. A table never spans two inputs.
    The rows before an error come first, then the exception; with on_error="keep" it goes to the iterator's `errors`
    and the next input follows.
    """
    _check_on_error(on_error)
    if not isinstance(rows, int) or rows < 1:
        raise ValueError("rows is a positive number")
    keywords = _keywords(columns, filter, payload, options)
    return Batches(_list_inputs(inputs), rows, keywords, progress, on_error == "keep")
