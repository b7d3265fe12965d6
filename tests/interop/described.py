"""Values as JSON descriptions and back, for the Python side of the tests.

The format is the one of ../support/described.ts; ../vectors/README.md describes it. Each kind of Python value
has a description of its own, so that int and float, bytes and str, list and tuple, set and frozenset stay apart,
and shared or cyclic values are told from equal ones.
"""

from decimal import Decimal

from foolscap.api import Copyable, RemoteCopy


class Described(Copyable, RemoteCopy):
    """Base of the copyable classes that descriptions can name."""

    copytype = None

    def getTypeToCopy(self):
        return self.copytype


CLASSES = {}


def copyable_class(copytype):
    """The class for a copytype, registered with Foolscap in both directions."""
    if copytype not in CLASSES:
        CLASSES[copytype] = type("Described_" + copytype.replace(".", "_"), (Described,), {"copytype": copytype})
    return CLASSES[copytype]


SHARED = (list, tuple, dict, set, frozenset, Described)


def _float_text(value):
    return repr(value)


def _children(value):
    if isinstance(value, dict):
        return [part for pair in _pairs(value) for part in pair]
    if isinstance(value, Described):
        return list(vars(value).values())
    return list(value)


def _pairs(value):
    try:
        return [(key, value[key]) for key in sorted(value)]
    except TypeError:
        return list(value.items())


def _tracked(value):
    # The interpreter has one empty frozenset, which says nothing about what was on the wire.
    return isinstance(value, SHARED) and not (isinstance(value, frozenset) and not value)


class _Describer:
    def __init__(self, extra):
        self.extra = extra
        self.visits = {}
        self.ids = {}
        self.keep = []

    def count(self, value):
        if not isinstance(value, SHARED):
            return
        seen = self.visits.get(id(value), 0)
        self.visits[id(value)] = seen + 1
        self.keep.append(value)
        if seen == 0:
            for child in _children(value):
                self.count(child)

    def describe(self, value):
        if value is None:
            return {"none": True}
        if isinstance(value, bool):
            return {"bool": value}
        if isinstance(value, int):
            return {"int": str(value)}
        if isinstance(value, float):
            return {"float": _float_text(value)}
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        if isinstance(value, str):
            return {"str": value}
        if isinstance(value, Decimal):
            return {"decimal": str(value)}
        if isinstance(value, SHARED):
            return self.shared(value)
        return self.extra(value)

    def shared(self, value):
        if id(value) in self.ids:
            return {"same": self.ids[id(value)]}
        out = {}
        if self.visits[id(value)] > 1 and _tracked(value):
            out["id"] = self.ids[id(value)] = len(self.ids) + 1
        if isinstance(value, dict):
            out["dict"] = [[self.describe(k), self.describe(v)] for k, v in _pairs(value)]
        elif isinstance(value, Described):
            attributes = [[k, self.describe(v)] for k, v in vars(value).items()]
            out["copyable"] = [value.copytype, attributes]
        else:
            kind = next(k for k in (list, tuple, set, frozenset) if isinstance(value, k))
            out[kind.__name__] = [self.describe(child) for child in value]
        return out


def _refuse(value):
    raise TypeError("cannot describe a %s" % type(value).__name__)


def describe(value, extra=_refuse):
    """The description of a value; `extra(value)` describes what this module does not know."""
    describer = _Describer(extra)
    describer.count(value)
    return describer.describe(value)


class _Unfinished:
    """Stands for a tuple or frozenset whose members are still being built."""

    def __init__(self):
        self.patches = []


class _Builder:
    def __init__(self, extra):
        self.extra = extra
        self.made = {}

    def put(self, child, assign):
        value = self.build(child)
        if isinstance(value, _Unfinished):
            value.patches.append(assign)
        else:
            assign(value)

    def build(self, d):
        if "same" in d:
            return self.made[d["same"]]
        for kind, make in self.SIMPLE.items():
            if kind in d:
                return make(d[kind])
        for kind, make in self.MUTABLE.items():
            if kind in d:
                return make(self, d)
        for kind, make in (("tuple", tuple), ("frozenset", frozenset)):
            if kind in d:
                return self.immutable(d, d[kind], make)
        return self.extra(d)

    def keep(self, d, value):
        if "id" in d:
            self.made[d["id"]] = value
        return value

    def list(self, d):
        out = self.keep(d, [None] * len(d["list"]))
        for i, child in enumerate(d["list"]):
            self.put(child, lambda v, i=i: out.__setitem__(i, v))
        return out

    def dict(self, d):
        out = self.keep(d, {})
        for key, child in d["dict"]:
            key = self.build(key)
            out[key] = None
            self.put(child, lambda v, key=key: out.__setitem__(key, v))
        return out

    def set(self, d):
        out = self.keep(d, set())
        for child in d["set"]:
            self.put(child, out.add)
        return out

    def copyable(self, d):
        copytype, attributes = d["copyable"]
        out = self.keep(d, copyable_class(copytype)())
        for name, child in attributes:
            setattr(out, name, None)
            self.put(child, lambda v, name=name: setattr(out, name, v))
        return out

    def immutable(self, d, children, make):
        unfinished = self.keep(d, _Unfinished())
        members = [self.build(child) for child in children]
        if any(isinstance(member, _Unfinished) for member in members):
            raise ValueError("a tuple directly inside itself has no meaning")
        value = self.keep(d, make(members))
        for assign in unfinished.patches:
            assign(value)
        return value

    SIMPLE = {
        "none": lambda _: None,
        "bool": bool,
        "int": int,
        "float": float,
        "bytes": bytes.fromhex,
        "str": str,
        "decimal": Decimal,
    }
    MUTABLE = {"list": list, "dict": dict, "set": set, "copyable": copyable}


def _unknown(d):
    raise ValueError("unknown description %r" % (sorted(d),))


def build(description, extra=_unknown):
    """The value of a description; `extra(description)` builds what this module does not know."""
    return _Builder(extra).build(description)
