"""The progress bar: one line on stderr, rewritten in place."""

import sys
import time

from . import _error

CANCELLED = -12  # NETFEAT_ERR_CANCELLED


def _size(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return "%.3g %s" % (count, unit)
        count /= 1000
    return "%.4g GB" % count


class Bar:
    """A progress function: call it with packets, bytes, bytes in all (-1 unknown)."""

    WIDTH = 24

    def __init__(self, stream=None):
        self._stream = stream if stream is not None else sys.stderr
        self._start = time.monotonic()
        self._drawn = 0

    def __call__(self, packets, count, total):
        seconds = max(time.monotonic() - self._start, 1e-9)
        line = "%d packets  %s  %.0f packets/s" % (packets, _size(count), packets / seconds)
        if total > 0:
            share = min(count / total, 1.0)
            done = int(share * self.WIDTH)
            line = "[%s%s] %3d %%  %s" % ("#" * done, "." * (self.WIDTH - done), share * 100, line)
        self._stream.write("\r" + line.ljust(self._drawn))
        self._stream.flush()
        self._drawn = len(line)
        return False

    def close(self):
        """End the line."""
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()


class Meter:
    """Adds up several inputs and hands the sums to the progress function that the user gave.

    progress: None or False for none, True for a Bar, or a function of packets, bytes, bytes in all (-1 unknown);
    what it returns true stops the work. parts: objects whose `totals` are packets and bytes so far.
    """

    def __init__(self, progress, total, parts=()):
        self._bar = Bar() if progress is True else None
        self._show = self._bar or progress or None
        self._total = total
        self.parts = list(parts)

    @property
    def on_tick(self):
        """What to call now and then, or None."""
        return self._tick if self._show is not None else None

    def _tick(self):
        totals = [part.totals for part in self.parts]
        if self._show(sum(packets for packets, _ in totals), sum(count for _, count in totals), self._total):
            raise _error.CancelledError("stopped by the progress function", CANCELLED)

    def close(self):
        """Nothing more will come."""
        if self._bar is not None:
            self._bar.close()
