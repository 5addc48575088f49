"""The steps of a threat hunter's notebook, on the frames that pcap_to_dataframe() makes: each a feature of the library,
so that a sensor can compute the same numbers. What is missing stays missing; the index of a frame is kept."""

import decimal
import ipaddress

import numpy

from . import _feature, _frame
from ._column import wrap
from ._table import table as make_table

_ADDRESSED = ("Source IP", "Destination IP", "Source Port", "Destination Port")
_DESCRIBED = {"count": "count", "mean": "mean", "std": "std", "min": "min", "25%": "q25", "50%": "q50", "75%": "q75",
              "max": "max"}
_MAPPED = bytes(10) + b"\xff\xff"


def time_column(series):
    """Seconds as any number (Decimal exactly) as a column of times; what is missing is NULL."""
    known = series.notna().to_numpy()
    if series.dtype == object:
        unit = decimal.Decimal(10**9)
        values = [int(decimal.Decimal(value) * unit) if present else 0 for value, present in zip(series, known)]
    else:
        values = numpy.rint(numpy.where(known, series.to_numpy(), 0) * 1e9)
    return wrap(numpy.array(values).astype("i8").view("M8[ns]"), None if known.all() else known)


def _series(column, like, name, missing=numpy.nan):
    import pandas  # pylint: disable=import-outside-toplevel

    return pandas.Series(column.to_numpy(missing) if column.nulls else column.to_numpy(), like.index, name=name)


def drop_incomplete(frame, columns=_ADDRESSED):
    """(frame without the rows in which one of the columns is missing, how many rows went)."""
    complete = frame.dropna(subset=list(columns))
    return complete, len(frame) - len(complete)


def total_bytes(frame, by="Source IP", value="Packet Length"):
    """Running sum of `value` within the rows of equal `by`, this row included: netfeat.cumulative()."""
    known = frame[by].notna().to_numpy()
    codes = wrap(frame[by].factorize()[0].astype("i8"))
    table = make_table({"value": wrap(frame[value].to_numpy().astype("u4")), "key": codes})
    sums = _feature.cumulative(table, "value", ["key"])
    series = _series(sums, frame, value).astype("i8")
    return series if known.all() else series.where(known)


def _number(text):
    """16 bytes of an address, as ipaddress.ip_interface() reads it; zero where it does not."""
    try:
        return _frame.pack_address(str(ipaddress.ip_interface(text).network.network_address))
    except ValueError:
        return bytes(16)


def numeric_address(series):
    """Addresses as whole numbers, exactly: 32 bits of IPv4, 128 of IPv6, 0 where there is none: netfeat.ip_numeric()."""
    import pandas  # pylint: disable=import-outside-toplevel

    codes, texts = series.factorize()
    packed = numpy.frombuffer(b"".join(map(_number, texts)) + bytes(16), "u1").reshape(-1, 16)
    numbers = _feature.ip_numeric(wrap(numpy.ascontiguousarray(packed)), ip_mode=1)
    halves = [numbers[name].to_numpy(0).tolist() for name in numbers.columns[:2]]
    distinct = [high << 64 | low for high, low in zip(*halves)]
    values = [distinct[code] for code in codes.tolist()]
    return pandas.Series(values, series.index, name=series.name, dtype=None if values else "i8")


def frequency_encoding(series):
    """(share of each row's value among all that are there, {value: share} with the most frequent first).

    To encode other packets by the same shares, use netfeat.Encoder("frequency")."""
    column = _frame.column(series, categories=True)
    counts = _feature.value_counts(column)
    values, shares = (counts[name].to_list() for name in ("value", "share"))
    return _series(_feature.frequency(column), series, series.name), dict(zip(values, shares))


def seconds(series):
    """Times as float seconds since 1970: netfeat.timestamp()."""
    return _series(_feature.timestamp(make_table({"timestamp": time_column(series)})), series, series.name)


def interarrival(series):
    """Seconds since the row before, NaN in the first one, negative where time went back: netfeat.interarrival()."""
    table = make_table({"timestamp": time_column(series)})
    return _series(_feature.interarrival(table, seconds=1), series, "Interarrival")


def one_hot_ports(series):
    """One column of 0 and 1 for each of the notebook's names of ports: netfeat.onehot(ports=1)."""
    import pandas  # pylint: disable=import-outside-toplevel

    flags = _feature.onehot(_frame.column(series, categories=True), ports=1, duplicates=1)
    return pandas.DataFrame({name: flags[name].to_numpy(False).astype("i8") for name in flags.columns}, series.index)


def describe(frame):
    """Count, mean, sample standard deviation, minimum, quartiles, maximum of each column of numbers: netfeat.describe()."""
    import pandas  # pylint: disable=import-outside-toplevel

    numbers = frame.select_dtypes("number")
    described = _feature.describe(make_table({name: _frame.column(numbers[name]) for name in numbers.columns}))
    return pandas.DataFrame({name: described[ours].to_numpy(numpy.nan).astype("f8") for name, ours in _DESCRIBED.items()},
                            numbers.columns).T
