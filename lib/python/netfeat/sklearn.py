"""Transformers for scikit-learn on the library's encoders and pipelines.

    from netfeat.sklearn import Features

    model = sklearn.pipeline.make_pipeline(Features([
        ("cumulative", ["frame_length", "src_ip"], "src_ip_total_bytes"),
        ("frequency", ["dst_port"], "dst_port_frequency", {"unknown": 2})]), RandomForestClassifier())
    model.fit(table, labels)
    model[0].save("features.arrow")  # for netfeat-score, or netfeat.Pipeline.from_table(netfeat.load(...))

All of them take a netfeat.Table, a pandas.DataFrame (addresses as text or bytes, what is missing as None or NaN) or a
two-dimensional array, and give float64 with NaN where the library says NULL (or what set_output() asks for);
transform_table() gives the exact columns. What they learn travels in pickles as a table of the library, which is
checked when it comes back; to give it away, save() is better than any pickle.
"""

import json
import tempfile

import numpy
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from . import _export, _frame
from ._column import Column
from ._feature import Pipeline
from ._table import Table, table as make_table

__all__ = ["Features", "FrequencyEncoder", "MinMaxScaler", "OneHotEncoder", "OrdinalEncoder", "StandardScaler"]

_UNKNOWN = {"null": 1, "zero": 2, "error": 3}
_NULL = {"null": 0, "zero": 1, "error": 2}
_STATISTIC = {"share": 1, "count": 2}
_DUPLICATES = {"error": 0, "last": 1, "suffix": 2}
_PORTS = {"notebook": 1, "services": 2}


def _choice(name, value, choices):
    if value not in choices:
        raise ValueError("%s is %s, not %r" % (name, " or ".join(map(repr, choices)), value))
    return choices[value]


def _names(given):
    """Names of the columns of a table, frame or array."""
    if isinstance(given, Table):
        return given.columns
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        return list(given.columns)
    if isinstance(given, Column) or numpy.ndim(given) != 2:
        raise ValueError("a netfeat.Table, a pandas.DataFrame or a two-dimensional array, not %s" %
                         type(given).__name__)
    return ["x%d" % i for i in range(numpy.shape(given)[1])]  # as scikit-learn calls them


def _pick(given, names, name):
    if isinstance(given, Table) or hasattr(given, "iloc"):
        return given[name]
    return numpy.asarray(given)[:, names.index(name)]


def to_array(table):
    """The columns of a table, all of them numbers, as rows x columns of float64, NaN where NULL."""
    names = table.columns
    array = numpy.empty((len(table), len(names)), order="F")
    for i, name in enumerate(names):
        column = table[name]
        values = column.to_numpy()
        if values.dtype.kind not in "buifM" or values.ndim != 1:
            raise TypeError("column %s is %s, which is no number" % (name, column.type))
        array[:, i] = values.view("i8") if values.dtype.kind == "M" else values
        if column.valid is not None:
            array[~column.valid, i] = numpy.nan
    return array


def _to_bytes(table):
    with tempfile.TemporaryFile() as file:
        table.save(file, format="stream")
        file.seek(0)
        return file.read()


class _Learner(TransformerMixin, BaseEstimator):
    """What all have in common: a netfeat.Pipeline that learns, and a sealed copy of it that is applied."""

    _categories = False

    def _steps(self, names):
        """The pipeline's steps for an input with these columns."""
        raise NotImplementedError

    def _inputs(self, names):
        """Those of the columns that the steps read."""
        raise NotImplementedError

    # ---- learning ----

    def fit(self, X, y=None):
        """Learn from X; what was learned before is forgotten."""
        del y
        self._forget()
        try:
            self.partial_fit(X)
            self._seal()  # which may fail, too
        except BaseException:
            self._forget()
            raise
        return self

    def partial_fit(self, X, y=None):
        """Learn from one more X: fitting the parts gives the same bits as fitting the whole."""
        del y
        if not self.__sklearn_is_fitted__():
            self._begin(_names(X))
        table = self._table(X)
        self._types = {name: table[name]._type for name in table.columns}  # pylint: disable=protected-access
        self._learning.fit(table)
        self._empty = table[:0]
        self._sealed = self._outputs = None
        return self

    def _begin(self, names):
        self._types = {}
        self._learning = Pipeline.from_json({"version": 1, "steps": self._steps(names)})
        self.n_features_in_ = len(names)
        if all(isinstance(name, str) for name in names):
            self.feature_names_in_ = numpy.array(names, object)

    def _forget(self):
        for name in ("_learning", "_sealed", "_outputs", "_empty", "_types", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)

    def _table(self, X):
        names = _names(X)
        return make_table({
            str(name): _frame.column(_pick(X, names, name), self._types.get(str(name)), name, self._categories)
            for name in self._inputs(names)})

    def _seal(self):
        if self._sealed is None:
            sealed = Pipeline.from_table(self._learning.to_table()).seal()
            self._outputs = sealed.apply(self._empty).columns
            self._sealed = sealed

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_empty") or hasattr(self, "_sealed")

    @property
    def pipeline_(self):
        """The netfeat.Pipeline, sealed."""
        if not self.__sklearn_is_fitted__():
            raise NotFittedError("this %s has not been fitted" % type(self).__name__)
        self._seal()
        return self._sealed

    # ---- applying ----

    def transform_table(self, X):
        """The features as a netfeat.Table, exact, NULL where they are not known."""
        pipeline = self.pipeline_
        return pipeline.reset().apply(self._table(X))

    def transform(self, X):
        """The features as float64, rows x columns."""
        return to_array(self.transform_table(X))

    def get_feature_names_out(self, input_features=None):
        """Names of the features, in the order of transform()'s columns."""
        del input_features  # the names were learned
        return self.pipeline_ and numpy.array(self._outputs, object)

    def save(self, path):
        """Write the fitted pipeline: netfeat-score takes it, and netfeat.Pipeline.from_table(netfeat.load(path))."""
        self.pipeline_.to_table().save(path)

    # ---- pickles and copies ----

    def __getstate__(self):
        state = dict(super().__getstate__())
        if self.__sklearn_is_fitted__():
            self._seal()
            state["_sealed"], state["_outputs"] = _to_bytes(self._sealed.to_table()), self._outputs
            state["_learning"] = _to_bytes(self._learning.to_table())
            state.pop("_empty", None)
        return state

    def __setstate__(self, state):
        state = dict(state)
        for name in ("_learning", "_sealed"):
            if name in state:
                state[name] = Pipeline.from_table(_export.load(state[name]))
        super().__setstate__(state)

    def _more_tags(self):
        return {"allow_nan": True, "X_types": ["2darray", "string"]}


class Features(_Learner):
    """Any features of the library: those of netfeat.Pipeline.

    steps   a list of (feature, inputs, output, options), where all but the feature may be left out or None; or of
            dicts with these keys; or the JSON text that netfeat.Pipeline.from_json() takes

    Every X is a capture of its own: running sums and inter-arrival times begin anew with it.
    """

    _KEYS = ("feature", "inputs", "output", "options")

    def __init__(self, steps=()):
        self.steps = steps

    def _listed(self):
        if isinstance(self.steps, str):
            return json.loads(self.steps)["steps"]
        listed = []
        for step in self.steps:
            if not isinstance(step, dict):
                step = dict(zip(self._KEYS, (step,) if isinstance(step, str) else step))
            step = {key: value for key, value in step.items() if value is not None}
            options = {key if "." in key else "feature." + key: value
                       for key, value in step.get("options", {}).items()}
            listed.append(dict(step, options=options))
        return listed

    def _steps(self, names):
        return self._listed()

    def _inputs(self, names):
        wanted = {name for _, inputs, _ in self._learning.steps for name in inputs}
        return [name for name in names if name in wanted]


class _ColumnEncoder(_Learner):
    """One encoder for each of some columns."""

    _feature = None

    def _options(self):
        return {}

    def _chosen(self, names):
        columns = getattr(self, "columns", None)
        if columns is None:
            return names
        return [columns] if isinstance(columns, str) else list(columns)

    def _inputs(self, names):
        chosen = self._chosen(names)
        for name in chosen:
            if name not in names:
                raise ValueError("the input lacks column %s" % name)
        return chosen

    def _steps(self, names):
        options = {"feature." + name: value for name, value in self._options().items()}
        return [{"feature": self._feature, "inputs": [str(name)], "output": str(name), "options": options}
                for name in self._inputs(names)]


class FrequencyEncoder(_ColumnEncoder):
    """How often each value occurred in the training data.

    columns     names of the columns, None: all; statistic: "share" or "count"
    unknown     what a value that was not learned gives: "null" (NaN), "zero" or "error"; null: what NULL gives
    """

    _feature = "frequency"
    _categories = True

    def __init__(self, columns=None, statistic="share", unknown="null", null="null"):
        self.columns = columns
        self.statistic = statistic
        self.unknown = unknown
        self.null = null

    def _options(self):
        return {"statistic": _choice("statistic", self.statistic, _STATISTIC),
                "unknown": _choice("unknown", self.unknown, _UNKNOWN), "null": _choice("null", self.null, _NULL)}


class OneHotEncoder(_ColumnEncoder):
    """One column of 0 and 1 per value: learned ones, or those of a map.

    columns     names of the columns, None: all
    values      None: learned; {value: name}; "notebook" (27 ports) or "services" (the system's services database)
    duplicates  two values of one name: "error", "last" (it alone sets the column), "suffix" (name_value)
    unknown     what a value that was not learned gives: "zero", "null" (NaN) or "error"; null: what NULL gives
    """

    _feature = "onehot"
    _categories = True

    def __init__(self, columns=None, values=None, duplicates="error", unknown="zero", null="null"):
        self.columns = columns
        self.values = values
        self.duplicates = duplicates
        self.unknown = unknown
        self.null = null

    def _options(self):
        options = {"duplicates": _choice("duplicates", self.duplicates, _DUPLICATES),
                   "unknown": _choice("unknown", self.unknown, _UNKNOWN), "null": _choice("null", self.null, _NULL)}
        if isinstance(self.values, dict):
            options["map"] = ",".join("%s=%s" % pair for pair in self.values.items())
        elif self.values is not None:
            options["ports"] = _choice("values", self.values, _PORTS)
        return options


class OrdinalEncoder(_ColumnEncoder):
    """Rank of each value among those of the training data, from 0; columns, unknown, null: as FrequencyEncoder."""

    _feature = "ordinal"
    _categories = True

    def __init__(self, columns=None, unknown="null", null="null"):
        self.columns = columns
        self.unknown = unknown
        self.null = null

    def _options(self):
        return {"unknown": _choice("unknown", self.unknown, _UNKNOWN), "null": _choice("null", self.null, _NULL)}


class StandardScaler(_ColumnEncoder):
    """(value - mean) / sample standard deviation (n - 1) of the training data; null: what NULL gives."""

    _feature = "standard_scale"

    def __init__(self, columns=None, null="null"):
        self.columns = columns
        self.null = null

    def _options(self):
        return {"null": _choice("null", self.null, _NULL)}


class MinMaxScaler(_ColumnEncoder):
    """(value - minimum) / (maximum - minimum) of the training data; null: what NULL gives."""

    _feature = "minmax_scale"

    def __init__(self, columns=None, null="null"):
        self.columns = columns
        self.null = null

    def _options(self):
        return {"null": _choice("null", self.null, _NULL)}
