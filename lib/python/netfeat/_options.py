"""Keyword arguments from the library's own catalogue of options: a new option needs no new Python."""

import collections
import ctypes
import difflib
import functools

from ._ffi import C, Handle, i64, strings

BOOL, INT, TEXT = 1, 2, 3  # NETFEAT_KIND_*

Option = collections.namedtuple("Option", "name keyword kind minimum maximum default help")
_KINDS = {BOOL: "bool", INT: "int", TEXT: "text"}


def _keys():
    key = C.option_next(0)
    while key > 0:
        yield key
        key = C.option_next(key)


def _describe(key):
    name = strings(C.option_name, key)
    kind = C.option_kind(key)
    low, high, default = i64(), i64(), i64()
    if kind == TEXT:
        bounds = (None, None, strings(C.options_get_text, None, key))
    else:
        C.option_range(key, ctypes.byref(low), ctypes.byref(high), ctypes.byref(default))
        bounds = (low.value, high.value, default.value)
    return Option(name, name.replace(".", "_"), _KINDS.get(kind, "?"), *bounds, strings(C.option_help, key))


def options():
    """All settings of the library: name, keyword, kind, bounds, default and help of each.

    The keyword is what netfeat.read() and others take; the part behind the first underscore is enough where it is
    unambiguous: read(path, max_rows=1000).
    """
    return [_describe(key) for key in _keys()]


@functools.lru_cache(maxsize=None)
def _keywords(sections):
    """keyword -> (key, Option) for the options of these sections, long and short forms."""
    found = {}
    for key in _keys():
        option = _describe(key)
        section, _, short = option.name.partition(".")
        if section in sections:
            found[option.keyword] = (key, option)
            short = short.replace(".", "_")
            found[short] = None if short in found else (key, option)
    return {keyword: entry for keyword, entry in found.items() if entry is not None}


def full_names(keywords, sections):
    """The keyword arguments under their full keywords ("table_max_rows", not "max_rows"), without those that are
    None; TypeError for unknown ones."""
    known = _keywords(sections)
    full = {}
    for keyword, value in keywords.items():
        if keyword not in known:
            near = difflib.get_close_matches(keyword, known, 1)
            raise TypeError("no option is called %s%s" % (keyword, "; did you mean %s?" % near[0] if near else ""))
        name = known[keyword][1].keyword
        if value is None:
            continue
        if name in full:
            raise TypeError("%s is given twice" % name)
        full[name] = value
    return full


def build(context, keywords, sections):
    """netfeat_options out of keyword arguments, as a Handle; None values are left at their default."""
    known = _keywords(sections)
    bag = context.make(C.options_new, context, wrap=lambda pointer: Handle(pointer, C.options_unref))
    for keyword, value in full_names(keywords, sections).items():
        key, option = known[keyword]
        if option.kind == "text":
            if not isinstance(value, str):
                raise TypeError("%s is a text, not %r" % (keyword, value))
            context.check(C.options_set_text(bag, key, _encode(keyword, value)))
        else:
            context.check(C.options_set_int(bag, key, _integer(keyword, value)))
    return bag


def _encode(keyword, value):
    if "\0" in value:
        raise ValueError("%s holds a NUL character" % keyword)
    return value.encode()


def _integer(keyword, value):
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError("%s is a number, not %r" % (keyword, value)) from None
    if not -(1 << 63) <= number < 1 << 63:  # ctypes would cut it silently
        raise OverflowError("%s does not fit 64 bits: %d" % (keyword, number))
    return number
