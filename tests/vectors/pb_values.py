"""Python values as JSON descriptions and back, for Perspective Broker; tests/pb/described.ts is the other half.

A description is [kind, ...]: ["int", "5"], ["float", hex of the double], ["bytes", hex], ["str", text], ["bool", b], ["none"],
["datetime", [numbers]] and its like, ["decimal", text]; a container is [kind, id, parts], and [ "ref", id ] a repeated one.
"""

import datetime
import decimal
import struct

TIMES = {
    "datetime": (datetime.datetime, ("year", "month", "day", "hour", "minute", "second", "microsecond")),
    "date": (datetime.date, ("year", "month", "day")),
    "time": (datetime.time, ("hour", "minute", "second", "microsecond")),
    "timedelta": (datetime.timedelta, ("days", "seconds", "microseconds")),
}


def build(description, known=None):
    known = {} if known is None else known
    kind = description[0]
    if kind == "none":
        return None
    if kind in ("bool", "str"):
        return description[1]
    if kind == "int":
        return int(description[1])
    if kind == "float":
        return struct.unpack("!d", bytes.fromhex(description[1]))[0]
    if kind == "bytes":
        return bytes.fromhex(description[1])
    if kind == "decimal":
        return decimal.Decimal(description[1])
    if kind in TIMES:
        return TIMES[kind][0](*description[1])
    if kind == "ref":
        return known[description[1]]
    number, parts = description[1:]
    if kind == "list":
        made = known[number] = []
        made.extend(build(part, known) for part in parts)
    elif kind == "dict":
        made = known[number] = {}
        for key, value in parts:
            made[build(key, known)] = build(value, known)
    else:
        made = {"tuple": tuple, "set": set, "frozenset": frozenset}[kind]([build(part, known) for part in parts])
        known[number] = made
    return made


def describe(value, known=None):
    known = {} if known is None else known
    kind = type(value).__name__
    if value is None:
        return ["none"]
    if kind in ("bool", "str"):
        return [kind, value]
    if kind == "int":
        return ["int", str(value)]
    if kind == "float":
        return ["float", struct.pack("!d", value).hex()]
    if kind == "bytes":
        return ["bytes", value.hex()]
    if kind == "Decimal":
        return ["decimal", str(value)]
    if kind in TIMES:
        return [kind, [getattr(value, field) for field in TIMES[kind][1]]]
    if kind not in ("list", "tuple", "dict", "set", "frozenset"):
        return ["other", kind, str(getattr(value, "reason", ""))]
    if id(value) in known:
        return ["ref", known[id(value)]]
    # Nobody can tell two empty tuples apart.
    number = len(known) + 1
    if value != ():
        known[id(value)] = number
    else:
        number = 0
    if kind == "dict":
        parts = [[describe(key, known), describe(part, known)] for key, part in value.items()]
    else:
        parts = [describe(part, known) for part in value]
    return [kind, number, parts]
