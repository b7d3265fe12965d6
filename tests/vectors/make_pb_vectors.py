#!/usr/bin/python3
"""Writes pb.json with Twisted's jelly and banana: what each value is in both dialects. See README.md."""

import datetime
import decimal
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import twisted

from pb_codec import Codec, jellied, unjellied
from pb_values import describe

cyclic_list = []
cyclic_list.append(cyclic_list)
through_tuple = []
through_tuple.append((through_tuple, 1))
cyclic_dict = {}
cyclic_dict["self"] = cyclic_dict
x, y = [1], [2]
shared_tuple = (1, 2)
shared_set = {7}
shared_frozen = frozenset([8])
shared_dict = {"a": 1}
deep = []
for _ in range(60):
    deep = [deep]

VALUES = {
    "None": None,
    "true": True,
    "false": False,
    **{
        f"int {n}": n
        for n in (
            0, 1, 127, 128, 16383, 16384, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53, 2**64, 2**448 - 1,
            -1, -128, -(2**31) + 1, -(2**31), -(2**31) - 1, -(2**53) + 1, -(2**53), -(2**64), -(2**448) + 1,
        )
    },
    **{f"float {f!r}": f for f in (0.0, -0.0, 1.0, 1.5, -2.25, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"))},
    "empty bytes": b"",
    "bytes": bytes(range(256)),
    "bytes that are a word": b"list",
    "bytes that are an unlisted word": b"unicode",
    "empty text": "",
    "text": "h\u00e9llo \u20ac \U0001f600",
    "text that is a word": "remote",
    "text None": "None",
    "long text": "x" * 1000,
    "empty list": [],
    "list": [1, "two", b"three", 4.5, None],
    "nested lists": [[[]], [[1], 2]],
    "empty tuple": (),
    "tuple": (1,),
    "nested tuples": ((1, 2), ((3,), 4)),
    "empty dict": {},
    "dict": {"z": 1, "a": 2, "list": 3, "__proto__": 4},
    "dict with other keys": {1: "a", b"b": 2, (1, "t"): 3, None: 4, 2.5: 5, frozenset([1]): 6},
    "empty set": set(),
    "set": {1},
    "frozenset": frozenset(["a"]),
    "datetime": datetime.datetime(2020, 7, 11, 1, 16, 5, 344),
    "datetime 1": datetime.datetime(1, 1, 1),
    "date": datetime.date(2020, 7, 11),
    "time": datetime.time(1, 16, 5, 344),
    "timedelta": datetime.timedelta(days=-1, seconds=5, microseconds=7),
    "timedelta max": datetime.timedelta.max,
    "timedelta min": datetime.timedelta.min,
    **{
        f"Decimal {d}": decimal.Decimal(d)
        for d in ("9.95", "-78.901", "1E+5", "0", "0.00", "1E-7", "0.000001", "1.10", "-1.5E-20", "123456789012345678901234567890")
    },
    "shared twice": [x, y, y, x],
    "cyclic list": cyclic_list,
    "list in its tuple": through_tuple,
    "cyclic dict": cyclic_dict,
    "shared tuple": [shared_tuple, shared_tuple],
    "shared set": [shared_set, shared_set],
    "shared frozenset": [shared_frozen, shared_frozen],
    "shared in a dict": {"one": shared_dict, "two": [shared_dict]},
    "tuple as value and key": [shared_tuple, {shared_tuple: shared_tuple}],
    "three times": [x, x, x],
    "deep": deep,
}


def main():
    rows = []
    for name, value in VALUES.items():
        row = {"name": name, "value": describe(value)}
        for dialect in ("pb", "none"):
            codec = Codec(dialect.encode())
            data = codec.encode(jellied(value))
            assert describe(unjellied(codec.decode(data))) == row["value"] or name.endswith("nan"), name
            row[dialect] = data.hex()
        rows.append(row)
    written = {"twisted": twisted.__version__, "rows": rows}
    (HERE / "pb.json").write_text(json.dumps(written, indent=1, ensure_ascii=True) + "\n")


main()
