#!/usr/bin/python3
"""Foolscap's storage, driven by one JSON command a line on stdin; tests/support/python.ts starts it.

`read` hex answers the description of what unserialize() gives; `write` value answers the hex of what serialize() gives,
after a set-vocab sequence if there is a `vocab`.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from io import BytesIO

from foolscap.api import serialize, unserialize
from foolscap.storage import SerializerTransport, StorageBanana

import described

described.copyable_class("cp.any")


def result_of(deferred):
    results = []
    deferred.addCallbacks(results.append, results.append)
    if not results:
        raise RuntimeError("the Deferred did not fire")
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0]


def serialize_with(vocab, value):
    """serialize(), by a Banana whose vocabulary is set first; serialize() itself never sets one."""
    banana = StorageBanana()
    stream = BytesIO()
    banana.transport = SerializerTransport(stream)
    banana.connectionMade()
    for words in vocab:
        banana.setOutgoingVocabulary(words)
    result_of(banana.send(value))
    return stream.getvalue()


def run(command):
    if command["cmd"] == "read":
        value = result_of(unserialize(bytes.fromhex(command["hex"])))
        return {"value": described.describe(value)}
    if "vocab" in command:
        return {"hex": serialize_with(command["vocab"], described.build(command["value"])).hex()}
    return {"hex": result_of(serialize(described.build(command["value"]))).hex()}


def main():
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = run(command)
        except Exception as e:
            answer = {"failure": {"type": type(e).__name__, "value": str(e), "parents": [], "traceback": ""}}
        print(json.dumps({"id": command["id"], **answer}), flush=True)


main()
