#!/usr/bin/python3
"""Twisted's times for the values of pb_jelly_bench.ts, in microseconds each."""

import sys
import timeit
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "vectors"))
sys.dont_write_bytecode = True

from pb_codec import Codec, jellied, unjellied

ARGUMENTS = (1, "hello", {"name": "x", "count": 3}, [1, 2, 3])
LARGE = [{"id": i, "name": f"item {i}", "tags": ["a", "b"], "price": i + 0.5} for i in range(1000)]
codec = Codec(b"pb")


def write_call():
    return codec.encode([b"message", 1000, b"root", b"echo", 1, jellied(ARGUMENTS), jellied({})])


def read_call(data=write_call()):
    message = codec.decode(data)
    unjellied(message[5])
    unjellied(message[6])


def write_large():
    return codec.encode(jellied(LARGE))


def read_large(data=write_large()):
    unjellied(codec.decode(data))


for function, count in ((write_call, 2000), (read_call, 2000), (write_large, 5), (read_large, 5)):
    print(f"{function.__name__}: {timeit.timeit(function, number=count) / count * 1e6:.1f} us")
