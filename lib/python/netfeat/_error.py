"""Exceptions: one class per error code of the library, under netfeat.Error."""

from ._ffi import C, strings


class Error(Exception):
    """A call failed.

    code    number of the error (NETFEAT_ERR_...), and name, "FORMAT" for example
    packet  1-based number of the packet where it happened, or None
    offset  byte offset in the input where it happened, or None
    errno   of the system call behind it, or None
    path    the input, or None
    table   for reading: the rows before the error as a netfeat.Table, or None
    """

    def __init__(self, message, code=0, packet=None, offset=None, errno=None, path=None, table=None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.name = strings(C.error_name, code)
        self.packet = packet
        self.offset = offset
        self.errno = errno
        self.path = path
        self.table = table

    def __str__(self):
        where = [] if self.path is None else [str(self.path)]
        if self.packet is not None:
            where.append("packet %d" % self.packet)
        if self.offset is not None:
            where.append("offset %d" % self.offset)
        return "%s (%s)" % (self.message, ", ".join(where)) if where else self.message

    def __reduce__(self):
        # a table does not travel to another process
        return type(self), (self.message, self.code, self.packet, self.offset, self.errno, self.path)


class NoMemoryError(Error, MemoryError):
    """The allocator said no."""


class ArgumentError(Error, ValueError):
    """An argument is impossible."""


class StateError(Error):
    """The right call at the wrong moment."""


class IoError(Error, OSError):
    """A system call failed; see errno."""


class FormatError(Error):
    """The input's bytes are not what they claim to be."""


class TruncatedError(Error):
    """The input ends in mid record; everything before is usable."""


class UnsupportedError(Error):
    """Valid, but not handled by this build or version."""


class LimitError(Error):
    """A configured limit was reached."""


class NotFoundError(Error, LookupError):
    """No such column, option or category."""


class MissingFileError(NotFoundError, FileNotFoundError):
    """No such file or device."""


class ColumnTypeError(Error, TypeError):
    """The column's or option's type does not fit the operation."""


class RangeError(Error, IndexError):
    """An index or value is out of bounds."""


class CancelledError(Error):
    """A callback asked to stop."""


class AccessError(Error, PermissionError):
    """The system does not allow it."""


class InternalError(Error):
    """A bug in libnetfeat."""


BY_NAME = {
    "NOMEM": NoMemoryError,
    "ARGUMENT": ArgumentError,
    "STATE": StateError,
    "IO": IoError,
    "FORMAT": FormatError,
    "TRUNCATED": TruncatedError,
    "UNSUPPORTED": UnsupportedError,
    "LIMIT": LimitError,
    "NOTFOUND": NotFoundError,
    "TYPE": ColumnTypeError,
    "RANGE": RangeError,
    "CANCELLED": CancelledError,
    "PERMISSION": AccessError,
    "INTERNAL": InternalError,
}

#: What can be wrong with an input itself, as opposed to the call, the system or the memory.
INPUT_ERRORS = (FormatError, TruncatedError, UnsupportedError)


def from_context(ctx, code):
    """The exception for a negative code just returned by a call on this context."""
    cls = BY_NAME.get(strings(C.error_name, code), Error)
    if C.ctx_error_code(ctx) != code:
        return cls(strings(C.error_text, code), code)
    number = C.ctx_error_errno(ctx)
    if cls is NotFoundError and number != 0:
        cls = MissingFileError
    packet = C.ctx_error_packet(ctx)
    offset = C.ctx_error_offset(ctx)
    message = C.ctx_error_message(ctx).decode(errors="replace")
    return cls(message or strings(C.error_text, code), code, packet if packet >= 0 else None,
               offset if offset >= 0 else None, number or None)
