"""What netfeat.read() and others take as inputs: paths, patterns, directories, descriptors, files, bytes, devices."""

import ctypes
import errno
import glob
import os
import stat

import numpy

from . import _error
from ._ffi import C, Handle


def encode(path):
    """A path as bytes."""
    path = os.fsencode(path)
    if b"\0" in path:
        raise ValueError("the path holds a NUL character")
    return path


def _wrap(pointer):
    return Handle(pointer, C.source_unref)


class Input:
    """What the user gave as an input: a path, a descriptor, a file object, or the bytes themselves."""

    #: no end comes by itself
    endless = False

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
        return context.make(C.source_open_file, context, encode(self.path), options, wrap=wrap)


class Files:
    """Several files as one input; the options say whether they are merged."""

    endless = False

    def __init__(self, paths):
        self.paths = [os.fspath(path) for path in paths]
        entries = [Input(path) for path in self.paths]
        sizes = [entry.size for entry in entries]
        self.size = sum(sizes) if all(size >= 0 for size in sizes) else -1
        self.waits = any(entry.waits for entry in entries)
        self.name = self.paths[0] if len(self.paths) == 1 else "%d files" % len(self.paths)

    def open(self, context, options):
        """netfeat_source as a Handle."""
        paths = (ctypes.c_char_p * len(self.paths))(*map(encode, self.paths))
        return context.make(C.source_open_many, context, paths, len(paths), options, wrap=_wrap)


class Device:
    """A network device."""

    endless = True
    waits = True
    size = -1

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError("live is the name of a device, not %s" % type(name).__name__)
        self.name = name

    def open(self, context, options):
        """netfeat_source as a Handle."""
        return context.make(C.source_open_live, context, encode(self.name), options, wrap=_wrap)


class Pushed:
    """Packets that the program hands over."""

    endless = False
    waits = False
    size = -1
    name = "pushed packets"

    def __init__(self, link_type):
        self.link_type = link_type

    def open(self, context, options):
        """netfeat_source as a Handle."""
        return context.make(C.source_open_push, context, self.link_type, options, wrap=_wrap)


def _nothing(message, path):
    return _error.MissingFileError(message, errno=errno.ENOENT, path=path)


def _is_path(given):
    return isinstance(given, (str, os.PathLike))


def is_list(inputs):
    """Several inputs, not one?"""
    return isinstance(inputs, (list, tuple)) or (hasattr(inputs, "__next__") and not hasattr(inputs, "read"))


def expand(given):
    """A directory becomes its files, a pattern what it matches, in the order of their names."""
    if not _is_path(given):
        return [given]
    path = os.fspath(given)
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
        files = [os.path.join(path, name) for name in names if os.path.isfile(os.path.join(path, name))]
        if not files:
            raise _nothing("the directory holds no files", path)
        return files
    if glob.has_magic(path) and not os.path.lexists(path):
        files = sorted(glob.glob(path, recursive=True))
        if not files:
            raise _nothing("nothing matches the pattern", path)
        return files
    return [given]


def list_inputs(inputs, merge=False):
    """Entries that can be opened one by one."""
    given = [one for several in (inputs if is_list(inputs) else [inputs]) for one in expand(several)]
    if not merge:
        return [Input(one) for one in given]
    if not all(_is_path(one) for one in given):
        raise TypeError("merge takes paths only")
    return [Files(given)] if given else []
