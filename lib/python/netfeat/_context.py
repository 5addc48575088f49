"""Contexts, and calls that can take long: Ctrl-C, progress, several inputs at a time.

A context belongs to one thread at a time. Short calls on sealed tables use one context per thread; each input being
read has its own. Calls that can take long run on worker threads (ctypes releases the GIL), while the thread that
asked waits where Python's signal handlers can run: it shows the progress, and on KeyboardInterrupt, or whatever else
the progress function raises, interrupts the calls, waits until they have returned, and lets the exception through.
No exception ever has to leave a C callback.
"""

import ctypes
import threading

from . import _error
from ._ffi import C, Handle, progress_fn, ptr

POLL_SECONDS = 0.1


class Context(Handle):
    """A netfeat_ctx."""

    def __init__(self):
        pointer = ptr()
        code = C.ctx_new(ctypes.byref(pointer))
        if code < 0:
            raise _error.NoMemoryError("no memory for a context", code)
        super().__init__(pointer.value, C.ctx_unref)
        self._totals = [(0, 0, -1)]
        self._callback = None
        #: somebody asked for an interrupt, which the next call may still find
        self.interrupted = False

    def check(self, code):
        """The code itself, or the exception it stands for."""
        if code < 0:
            raise _error.from_context(self, code)
        return code

    def make(self, function, *arguments, wrap):
        """Call a function whose last parameter is the result handle; wrap(pointer) makes the object of it."""
        pointer = ptr()
        self.check(function(*arguments, ctypes.byref(pointer)))
        return wrap(pointer.value)

    @property
    def totals(self):
        """packets, bytes, bytes in all (-1 unknown) of the call that runs, when watched."""
        return self._totals[0]

    def watch(self):
        """Keep self.totals up to date from now on."""
        totals = self._totals

        def note(_user, packets, count, total):
            totals[0] = (packets, count, total)
            return 0

        self._callback = progress_fn(note)
        C.ctx_set_progress(self, self._callback, None)

    def interrupt(self):
        """Make the running call, or the next one that can take long, fail with CancelledError."""
        self.interrupted = True
        C.ctx_interrupt(self)


_local = threading.local()


def current():
    """The calling thread's context for short calls."""
    try:
        return _local.context
    except AttributeError:
        _local.context = Context()
        return _local.context


class Crew:
    """Runs calls on worker threads for the thread that called run().

    tasks are functions without arguments; contexts is a function that lists the contexts they use just now. Tasks
    start in their order, at most `threads` at a time; once one has failed, no other starts. on_tick() is called by
    the waiting thread, about ten times a second and once at the end.
    """

    def __init__(self, tasks, threads=1, contexts=list, on_tick=None):
        self._tasks = list(tasks)
        self._contexts = contexts
        self._on_tick = on_tick
        self._threads = max(1, min(threads, len(self._tasks)))
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._next = 0
        self._running = 0
        self._stopped = False
        #: per task: (value, None), (None, exception), or None when it never started
        self.outcomes = [None] * len(self._tasks)

    def _begin(self):
        """Index of the next task, or None."""
        with self._lock:
            if not self._stopped and self._next < len(self._tasks):
                self._running += 1
                self._next += 1
                return self._next - 1
            if self._running == 0:
                self._done.set()
            return None

    def _end(self, failed):
        with self._lock:
            self._running -= 1
            self._stopped = self._stopped or failed
            if self._stopped and self._running == 0:
                self._done.set()

    def _work(self):
        index = self._begin()
        while index is not None:
            try:
                self.outcomes[index] = (self._tasks[index](), None)
            except BaseException as problem:  # pylint: disable=broad-except
                self.outcomes[index] = (None, problem)
            self._end(self.outcomes[index][1] is not None)
            index = self._begin()

    def _stop(self):
        with self._lock:
            self._stopped = True
            if self._running == 0:
                self._done.set()
        while not self._done.is_set():
            try:
                for context in self._contexts():
                    context.interrupt()
                self._done.wait(POLL_SECONDS)
            except KeyboardInterrupt:  # one is on its way already
                continue

    def run(self):
        """Wait for all; the outcomes."""
        try:
            for _ in range(self._threads):
                threading.Thread(target=self._work, name="netfeat", daemon=True).start()
            while not self._done.wait(POLL_SECONDS):
                if self._on_tick is not None:
                    self._on_tick()
        except BaseException:
            self._stop()
            raise
        if self._on_tick is not None:
            self._on_tick()
        return self.outcomes


def call(function, context, on_tick=None):
    """Value of function(), a call on `context` that can take long."""
    if on_tick is None and threading.current_thread() is not threading.main_thread():
        return function()  # signals are not handled here anyway
    crew = Crew([function], contexts=lambda: [context], on_tick=on_tick)
    value, problem = crew.run()[0]
    if problem is not None:
        raise problem
    return value
