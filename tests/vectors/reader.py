"""Banana bytes as JSON, read without Foolscap's own receiver.

The vectors are written by Foolscap; this second reader, made from the protocol's description alone, says what the
bytes mean, and make_vectors.py compares it with what Foolscap itself reads from them.
"""

import struct

TYPES = {
    0x81: "INT", 0x82: "STRING", 0x83: "NEG", 0x84: "FLOAT", 0x85: "LONGINT", 0x86: "LONGNEG", 0x87: "VOCAB",
    0x88: "OPEN", 0x89: "CLOSE", 0x8A: "ABORT", 0x8D: "ERROR", 0x8E: "PING", 0x8F: "PONG",
}
BODIES = ("STRING", "LONGINT", "LONGNEG", "ERROR")


def tokens(data):
    """Every token as (type, number or body, offset after it)."""
    at = 0
    while at < len(data):
        header, place = 0, 0
        while data[at] < 0x80:
            header += data[at] << (7 * place)
            at, place = at + 1, place + 1
        kind = TYPES[data[at]]
        at += 1
        value = header
        if kind in BODIES:
            value = data[at:at + header]
            assert len(value) == header, "a token is cut off"
            at += header
        elif kind == "FLOAT":
            value = struct.unpack("!d", data[at:at + 8])[0]
            at += 8
        yield kind, value, at


def token_json(kind, value):
    """A token as JSON: numbers as decimal text, bodies as hex."""
    if kind in ("STRING", "ERROR"):
        return {"type": kind, "hex": value.hex()}
    if kind in ("LONGINT", "LONGNEG"):
        return {"type": kind, "value": str(int.from_bytes(value, "big"))}
    if kind == "FLOAT":
        return {"type": kind, "value": repr(value)}
    return {"type": kind, "value": str(value)}


def split(data):
    """The top-level sequences of `data`, and what is left after the last complete one."""
    out, depth, start = [], 0, 0
    for kind, _, end in tokens(data):
        depth += {"OPEN": 1, "CLOSE": -1}.get(kind, 0)
        if depth == 0:
            out.append(data[start:end])
            start = end
    return out, data[start:]


class Reader:
    """One direction of a connection: it counts OPENs from message to message, as a receiver does."""

    def __init__(self, vocab=()):
        self.vocab = vocab
        self.opens = 0

    def message(self, data):
        """One top-level sequence or token, as JSON."""
        self.feed = tokens(data)
        kind, value, _ = next(self.feed)
        if kind in ("PING", "PONG"):
            return {kind.lower(): value}
        if kind != "OPEN":
            return self.atom(kind, value)
        out = self.sequence()
        assert next(self.feed, None) is None, "bytes after the message"
        return tidy(out)

    def atom(self, kind, value):
        if kind in ("INT", "NEG"):
            return {"int": str(value if kind == "INT" else -value)}
        if kind in ("LONGINT", "LONGNEG"):
            number = int.from_bytes(value, "big")
            return {"int": str(number if kind == "LONGINT" else -number)}
        if kind == "FLOAT":
            return {"float": repr(value)}
        if kind == "VOCAB":
            return {"bytes": self.vocab[value].hex()}
        assert kind == "STRING", kind
        return {"bytes": value.hex()}

    def word(self):
        return bytes.fromhex(self.child()["bytes"]).decode()

    def child(self):
        """The next value, or None at the CLOSE, or "ABORT"."""
        kind, value, _ = next(self.feed)
        if kind == "CLOSE":
            return None
        if kind == "ABORT":
            return "ABORT"
        return self.sequence() if kind == "OPEN" else self.atom(kind, value)

    def sequence(self):
        number = self.opens
        self.opens += 1
        name = self.word()
        copytype = self.word() if name == "copyable" else None
        children = []
        while (child := self.child()) is not None:
            if child == "ABORT":
                assert self.child() is None, "a sequence goes on after its ABORT"
                out = {"aborted": True}
                return {name: number_of(children[0]), **out} if name in ("call", "answer", "error") else out
            children.append(child)
        if copytype is not None:
            return {"id": number, "copyable": [copytype, [[text(k), v] for k, v in pairs(children)]]}
        return READ[name](number, children)


def pairs(children):
    return list(zip(children[::2], children[1::2]))


def text(description):
    return bytes.fromhex(description["bytes"]).decode()


def number_of(description):
    return int(description["int"])


def _container(kind):
    return lambda number, children: {"id": number, kind: children}


def _call(_, children):
    request, clid, method, arguments = children
    return {"call": number_of(request), "clid": number_of(clid), "method": text(method), **arguments}


def _arguments(_, children):
    count = number_of(children[0])
    keywords = [[text(k), v] for k, v in pairs(children[1 + count:])]
    return {"args": children[1:1 + count], "kwargs": keywords}


def _error(_, children):
    request, failure = children
    copytype, attributes = failure["copyable"]
    assert copytype == "twisted.python.failure.Failure", copytype
    fields = {k: [text(p) for p in v["list"]] if "list" in v else text(v) for k, v in attributes}
    return {"error": number_of(request), "failure": fields}


def _my_reference(_, children):
    out = {"my-reference": number_of(children[0])}
    if len(children) > 1:
        out["interface"] = text(children[1])
    if len(children) > 2:
        out["furl"] = text(children[2])
    return out


READ = {
    "none": lambda _, children: {"none": True},
    "boolean": lambda _, children: {"bool": children[0]["int"] != "0"},
    "unicode": lambda _, children: {"str": text(children[0])},
    "decimal": lambda _, children: {"decimal": text(children[0])},
    "reference": lambda _, children: {"same": number_of(children[0])},
    "list": _container("list"),
    "tuple": _container("tuple"),
    "set": _container("set"),
    "immutable-set": _container("frozenset"),
    "dict": lambda number, children: {"id": number, "dict": [list(pair) for pair in pairs(children)]},
    "call": _call,
    "arguments": _arguments,
    "answer": lambda _, children: {"answer": number_of(children[0]), "value": children[1]},
    "error": _error,
    "my-reference": _my_reference,
    "your-reference": lambda _, children: {"your-reference": number_of(children[0])},
    "their-reference": lambda _, children: {"their-reference": number_of(children[0]), "furl": text(children[1])},
}


def tidy(description):
    """The same with only the ids that something refers to, numbered from 1 in order of appearance."""
    used, renamed = set(), {}

    def find(d):
        if isinstance(d, dict):
            if "same" in d:
                used.add(d["same"])
            for part in d.values():
                find(part)
        elif isinstance(d, list):
            for part in d:
                find(part)

    def rename(d):
        if isinstance(d, list):
            return [rename(part) for part in d]
        if not isinstance(d, dict):
            return d
        if "same" in d:
            return {"same": renamed[d["same"]]}
        d = dict(d)
        number = d.pop("id", None)
        out = {}
        if number in used:
            out["id"] = renamed[number] = len(renamed) + 1
        for key, part in d.items():
            out[key] = rename(part)
        return out

    find(description)
    return rename(description)
