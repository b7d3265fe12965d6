"""The values of graph.json: (name, value) pairs, and the table that their bytes are checked against."""

import struct
from decimal import Decimal

from described import copyable_class

VOCAB_WORDS = [
    "none", "boolean", "reference", "dict", "list", "tuple", "set", "immutable-set", "unicode", "set-vocab",
    "add-vocab", "call", "arguments", "answer", "error", "my-reference", "your-reference", "their-reference",
    "copyable", "instance", "module", "class", "method", "function", "attrdict",
]


def copyable(copytype, **attributes):
    out = copyable_class(copytype)()
    vars(out).update(attributes)
    return out


def integers():
    edges = {0, 1, 2, 130, 10**12, 10**40, 2**1000, 256**16 - 1}
    for bits in (7, 14, 21, 28, 31, 32, 35, 53, 62, 63, 64, 128):
        edges.update((2**bits - 1, 2**bits, 2**bits + 1))
    for n in sorted(edges):
        yield "int %s" % (n if n < 10**41 else "of %d bits" % n.bit_length()), n
    for n in sorted(edges - {0}):
        yield "int -%s" % (n if n < 10**41 else "of %d bits" % n.bit_length()), -n


def floats():
    odd_nan = struct.unpack("!d", bytes.fromhex("7ff8000000000000"))[0]
    for f in (0.0, -0.0, 1.0, -1.0, 3.0, -1.5, 0.1, 1 / 3, 3.141592653589793, 1e16, 123456789012345680.0, 1e21, 1e22,
              1e100, 1e-5, 1e-7, 0.0001, 2.0**53, 2.0**53 + 2, 5e-324, 1e-320, 2.2250738585072014e-308,
              2.225073858507201e-308, 1.7976931348623157e308, -1.7976931348623157e308, float("inf"), float("-inf"),
              odd_nan):
        yield "float %r" % f, f


def byte_strings():
    for b in (b"", b"a", b"\x00\xff", b"x" * 127, b"y" * 128, bytes(range(256)), b"List", b"lis", b"listx",
              b"decimal", "\u20ac".encode()):
        yield "bytes of %d: %s" % (len(b), b[:8].hex()), b
    for word in VOCAB_WORDS:
        yield "bytes vocab word %s" % word, word.encode()


def texts():
    for name, s in (("empty", ""), ("a", "a"), ("zero", "\0"), ("latin", "h\u00e9llo"), ("euro", "\u20ac"),
                    ("astral", "\U0001f600"), ("mixed", "a\u20ac\U0001f600z"), ("last of BMP", "\uffff"),
                    ("first astral", "\U00010000"), ("last code point", "\U0010ffff"), ("below surrogates", "\ud7ff"),
                    ("above surrogates", "\ue000"), ("byte order mark", "\ufeffa"), ("combining", "e\u0301"),
                    ("right to left", "\u05e9\u05dc\u05d5\u05dd"), ("128 letters", "z" * 128),
                    ("127 bytes", "\u00e9" * 63 + "a"), ("__proto__", "__proto__"), ("lines", "a\r\nb\tc\\\"")):
        yield "text %s" % name, s
    for word in ("none", "list", "error", "unicode", "copyable", "attrdict"):
        yield "text vocab word %s" % word, word


def decimals():
    for d in ("0", "-0", "1", "3.14", "1.10", "1E+10", "1E-10", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity",
              "123456789012345678901234567890.123456789", "0.000001", "1E-7", "0E+3"):
        yield "decimal %s" % d, Decimal(d)


def dicts():
    yield "dict empty", {}
    yield "dict of bytes keys", {b"b": 1, b"a": 2}
    yield "dict of bytes keys by byte", {b"\xff": 1, b"\x00": 2, b"": 3, b"\x7f": 4, b"a": 5, b"aa": 6, b"list": 7}
    yield "dict of text keys", {"b": 1, "a": None}
    yield "dict of text keys by code point", {"\uffff": 1, "\U00010000": 2, "a": 3, "Z": 4, "\u00e9": 5, "": 6}
    yield "dict of text keys like array indices", {"10": 1, "9": 2, "1": 3, "b": 4, "01": 5}
    yield "dict of hostile text keys", {"__proto__": 1, "constructor": 2, "toString": 3, "hasOwnProperty": 4}
    yield "dict of int keys", {10: 1, 9: 2, -1: 3}
    yield "dict of big int keys", {2**64: 1, -2**64: 2, 0: 3, 2**31: 4, 2**53 + 1: 5}
    yield "dict of float keys", {1.5: 1, -0.5: 2, 1e300: 3, 2.0: 4}
    yield "dict of int and float keys", {2: b"int", 1.5: b"float", 3: b"int"}
    yield "dict of bool keys", {True: 1, False: 0}
    yield "dict of tuple keys", {(2, b"a"): 1, (1, b"z"): 2, (1,): 3, (): 4}
    yield "dict of nested tuple keys", {("a", (2, 1)): 1, ("a", (1, 2)): 2}
    yield "dict with a None key", {None: 1}
    yield "dict with a frozenset key", {frozenset([1]): 2}
    yield "dict with a decimal key", {Decimal("1.10"): 1}
    yield "dict of decimal keys", {Decimal("2"): 1, Decimal("1.5"): 2}
    yield "dict of containers", {"d": {}, "l": [], "t": (), "s": set(), "f": frozenset()}


def containers():
    deep = []
    for _ in range(60):
        deep = [deep]
    yield "list empty", []
    yield "list of ints", [1, 2, 3]
    yield "list nested", [1, [2]]
    yield "list of 130", list(range(130))
    yield "list 60 deep", deep
    yield "list of one of everything", [0, -1, 2**64, 1.5, b"b", "t", None, True, Decimal("1.10"), [], (), {}, set(),
                                        frozenset()]
    yield "list of two None", [None, None]
    yield "list of equal lists", [[1], [1]]
    yield "tuple empty", ()
    yield "tuple of one", (1,)
    yield "tuple of int and bytes", (1, b"a")
    yield "tuple nested", ((1, 2), (3, (4,)))
    yield "set empty", set()
    yield "set of 5", {5}
    yield "set of ints", {1, 2, 3, 70, 2**40}
    yield "set of texts", {"only"}
    yield "set of one tuple", {(1, "a")}
    yield "set with a frozenset", {frozenset([1])}
    yield "set of None", {None}
    yield "frozenset empty", frozenset()
    yield "frozenset of 5", frozenset([5])
    yield "frozenset of ints", frozenset([3, 1, 2])
    yield "frozenset of bytes", frozenset([b"tuple"])
    yield "frozenset with a frozenset", frozenset([frozenset()])


def shared():
    one = [1]
    yield "shared list", [one, one]
    yield "shared list in a dict", {"a": one, "b": [one]}
    table = {b"k": 1}
    yield "shared dict", [table, table, table]
    pair = (1, 2)
    yield "shared tuple", [pair, pair]
    members = {1}
    yield "shared set", [members, members]
    yield "shared empty tuple", [(), ()]
    yield "shared frozenset is sent twice", [frozenset([1])] * 2
    inside = frozenset([(1, 2)])
    yield "shared tuple in a shared frozenset", [inside, inside]
    key = (1, b"k")
    yield "shared tuple as key and value", {key: key}
    yield "shared after None and True", [None, True, one, "t", one]
    point = copyable("cp.test", a=1)
    yield "shared copyable is sent twice", [point, point]
    state = {"s": 1}
    yield "shared dict in two copyables", [copyable("cp.test", a=state), copyable("cp.test", a=state)]


def cycles():
    ring = []
    ring.append(ring)
    yield "cycle list", ring
    two, back = [], []
    two.append(back)
    back.append(two)
    yield "cycle of two lists", two
    table = {}
    table[b"me"] = table
    yield "cycle dict", table
    body = []
    knot = (body,)
    body.append(knot)
    yield "cycle tuple in list", body
    yield "cycle list in tuple", knot
    entry = {}
    outer = ([entry], 7)
    entry["up"] = outer
    yield "cycle dict value to tuple", outer
    inner, mid = [], None
    mid = (1, (2, inner))
    inner.append(mid)
    inner.append(mid[1])
    yield "cycle through nested tuples", [mid, inner]
    point = copyable("cp.test")
    point.a = [point]
    yield "cycle copyable through a list", point
    member = copyable("cp.test")
    member.a = {"loop": None}
    member.a["loop"] = member.a
    yield "cycle inside a copyable", member


def copyables():
    yield "copyable empty", copyable("cp.test")
    yield "copyable a", copyable("cp.test", a=1)
    yield "copyable b then a", copyable("cp.test", b="x", a=[])
    yield "copyable in a copyable", copyable("cp.test", inner=copyable("cp.other", x=1.5, y=-2))
    yield "copyable with a vocab word as name", copyable("list", dict=1, error=b"set")
    yield "copyable with hostile names", copyable("cp.test", **{"__proto__": 1, "constructor": 2, "1": 3})
    yield "copyable list", [copyable("cp.test", a=1), copyable("cp.test", a=2)]


def all_values():
    for group in (integers, floats, byte_strings, texts, decimals, dicts, containers, shared, cycles, copyables):
        yield from group()
    yield "none", None
    yield "true", True
    yield "false", False


# Bytes known from a capture of Foolscap 21.7.0, vocab table 1, by vector name.
KNOWN = {
    "int 0": "0081",
    "int 130": "020181",
    "int 16384": "00000181",
    "int 2147483647": "7f7f7f7f0781",
    "int 2147483648": "048580000000",
    "int 9223372036854775808": "08858000000000000000",
    "int 18446744073709551616": "0985010000000000000000",
    "int -1": "0183",
    "int -128": "000183",
    "int -2147483648": "000000000883",
    "int -2147483649": "048680000001",
    "int -18446744073709551616": "0986010000000000000000",
    "int 1%s" % ("0" * 40): "11851d6329f1c35ca4bfabb9f56100" + "00000000",
    "float 0.0": "840000000000000000",
    "float -0.0": "848000000000000000",
    "float 1.0": "843ff0000000000000",
    "float -1.5": "84bff8000000000000",
    "float 3.141592653589793": "84400921fb54442d18",
    "float inf": "847ff0000000000000",
    "float -inf": "84fff0000000000000",
    "float nan": "847ff8000000000000",
    "float 1e-320": "8400000000000007e8",
    "bytes of 0: ": "0082",
    "bytes of 1: 61": "018261",
    "bytes vocab word list": "0487",
    "bytes of 2: 00ff": "028200ff",
    "text empty": "0088088700820089",
    "text a": "008808870182610089",
    "text vocab word list": "0088088704870089",
    "text euro": "008808870382e282ac0089",
    "text astral": "008808870482f09f98800089",
    "none": "008800870089",
    "true": "0088018701810089",
    "false": "0088018700810089",
    "list empty": "008804870089",
    "list nested": "0088048701810188048702810189" + "0089",
    "list of ints": "0088048701810281" + "03810089",
    "tuple empty": "008805870089",
    "tuple of one": "0088058701810089",
    "tuple of int and bytes": "008805870181018261" + "0089",
    "dict empty": "008803870089",
    "dict of bytes keys": "00880387018261028101826201810089",
    "dict of text keys": "0088038701880887018261018902880087028903880887018262038901810089",
    "dict of int keys": "0088038701830381098102810a8101810089",
    "set empty": "008806870089",
    "set of 5": "0088068705810089",
    "frozenset empty": "008807870089",
    "frozenset of 5": "0088078705810089",
    "decimal 3.14": "00880782646563696d616c0482332e31340089",
    "decimal 1E+10": "00880782646563696d616c058231452b31300089",
    "decimal NaN": "00880782646563696d616c03824e614e0089",
    "shared list": "0088048701880487018101890288028701810289" + "0089",
    "cycle list": "00880487018802870081" + "01890089",
    "cycle dict": "0088038702826d65018802870081" + "01890089",
    "cycle list in tuple": "0088058701880487028802870081028901890089",
    "shared frozenset is sent twice": "00880487018807870181018902880787018102890089",
    "copyable a": "008812870782" + "63702e74657374" + "018261" + "01810089",
    "copyable b then a": "00881287078263702e74657374018262018808870182780189018261028804870289" + "0089",
    "shared empty tuple": "00880487018805870189028802870181" + "02890089",
    "list of two None": "0088048701880087018902880087" + "02890089",
}
