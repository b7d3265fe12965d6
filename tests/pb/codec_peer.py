#!/usr/bin/python3
"""Twisted's jelly and banana on request: one JSON object a line in, one out.

{"value": description} -> {"pb": hex, "none": hex}; {"hex": bytes, "dialect": ...} -> {"value": description} or {"error": text}.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vectors"))
sys.dont_write_bytecode = True

from pb_codec import Codec, jellied, unjellied
from pb_values import build, describe


def answer(request):
    if "value" in request:
        expression = jellied(build(request["value"]))
        return {dialect: Codec(dialect.encode()).encode(expression).hex() for dialect in ("pb", "none")}
    try:
        expression = Codec(request["dialect"].encode()).decode(bytes.fromhex(request["hex"]))
        return {"value": describe(unjellied(expression))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
