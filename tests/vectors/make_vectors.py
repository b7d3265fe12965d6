#!/usr/bin/python3
"""Writes graph.json, messages.json and tokens.json with Python Foolscap. See README.md."""

import json
import platform
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
sys.dont_write_bytecode = True

import foolscap
import twisted
from foolscap.storage import StorageBanana, serialize, unserialize
from foolscap.vocab import vocab_v0, vocab_v1
from twisted.internet import defer, task

import messages
import token_cases
from described import Described, describe
from reader import Reader
from values import KNOWN, all_values

DIALECTS = {"pb": vocab_v1, "storage": vocab_v0}


def banana(words):
    out = StorageBanana()
    out.populateVocabTable(words)
    return out


@defer.inlineCallbacks
def read_back(value, data, words):
    """What Foolscap reads from `data`.

    Its storage reader refuses a lone token and a copyable at the top, so those are read inside a list.
    """
    if isinstance(value, Described):
        data = yield serialize([value], banana=banana(words))
        return (yield unserialize(data, banana=banana(words)))[0]
    if type(value) not in (int, float, bytes):
        return (yield unserialize(data, banana=banana(words)))
    empty = yield serialize([], banana=banana(words))
    inside = yield unserialize(empty[:-2] + data + empty[-2:], banana=banana(words))
    return inside[0]


def comparable(description):
    """A description in which the order of set members does not matter."""
    if isinstance(description, list):
        return [comparable(part) for part in description]
    if not isinstance(description, dict):
        return description
    out = {key: comparable(part) for key, part in description.items()}
    for kind in ("set", "frozenset", "dict"):
        if kind in out:
            out[kind] = sorted(out[kind], key=json.dumps)
    return out


def same_float_bits(value, decoded):
    return not isinstance(value, float) or struct.pack("!d", value) == struct.pack("!d", decoded)


@defer.inlineCallbacks
def graph_vectors():
    rows = []
    known = dict(KNOWN)
    for name, value in all_values():
        for dialect, words in DIALECTS.items():
            data = yield serialize(value, banana=banana(words))
            decoded_value = yield read_back(value, data, words)
            assert same_float_bits(value, decoded_value), name
            sent, decoded = describe(value), describe(decoded_value)
            read = Reader(words).message(data)
            assert comparable(read) == comparable(decoded), (name, read, decoded)
            if dialect == "pb" and name in known:
                assert data.hex() == known.pop(name), (name, data.hex())
            row = {"name": name, "dialect": dialect, "hex": data.hex(), "value": sent}
            if comparable(decoded) != comparable(sent):
                row["decoded"] = decoded
            rows.append(row)
    assert not known, "known vectors that no value has: %s" % sorted(known)
    return rows


def write(file_name, rows):
    names = [(row["name"], row.get("dialect")) for row in rows]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    made_by = "Foolscap %s, Twisted %s, Python %s" % (
        foolscap.__version__, twisted.__version__, platform.python_version())
    lines = ",\n".join("    " + json.dumps(row, ensure_ascii=True) for row in rows)
    text = '{\n  "madeBy": %s,\n  "vectors": [\n%s\n  ]\n}\n' % (json.dumps(made_by), lines)
    (HERE / file_name).write_text(text)
    sys.stdout.write("%s: %d vectors\n" % (file_name, len(rows)))


@defer.inlineCallbacks
def main(_):
    write("graph.json", (yield graph_vectors()))
    write("tokens.json", (yield token_cases.vectors()))
    write("messages.json", (yield messages.vectors()))


if __name__ == "__main__":
    task.react(main)
