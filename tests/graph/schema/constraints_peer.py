"""What Python's constraints say of values: one JSON object on stdin, one on stdout.

in:  {"constraints": [expression], "values": [{"python": expression, "hex": bytes on the wire}]}
out: {"outbound": [[bool]], "inbound": [["ok" | "violation" | "drop"]]}, by constraint and value
"""
import decimal
import json
import sys

from foolscap import banana, schema, storage
from foolscap.constraint import IConstraint
from foolscap.copyable import AttributeDictConstraint
from foolscap.tokens import Violation

banana.log = None
names = dict(vars(schema), decimal=decimal, AttributeDictConstraint=AttributeDictConstraint)


def make(expression):
    return IConstraint(eval(expression, names))


def outbound(constraint, value):
    try:
        constraint.checkObject(value, False)
        return True
    except Violation:
        return False


class Quiet(storage.StorageBanana):
    logReceiveErrors = False

    def reportReceiveError(self, f):
        self.disconnectReason = f


class NoTransport:
    def write(self, data):
        pass

    def loseConnection(self, why=None):
        pass


def inbound(constraint, data):
    b = Quiet()
    b.slicerClass = storage.StorageRootSlicer
    b.unslicerClass = storage.StorageRootUnslicer
    b.transport = NoTransport()
    b.connectionMade()
    b.receiveStack[-1].constraint = constraint
    b.violation = None
    results = []
    b.prepare().addCallback(results.append)
    try:
        b.dataReceived(data)
    except Exception:
        return "drop"
    if b.disconnectReason:
        return "drop"
    if b.violation or not results:
        return "violation"
    try:
        constraint.checkObject(results[0], True)
    except Violation:
        return "violation"
    except Exception:
        return "drop"
    return "ok"


request = json.load(sys.stdin)
constraints = [make(c) for c in request["constraints"]]
values = [(eval(v["python"], names), bytes.fromhex(v["hex"])) for v in request["values"]]
json.dump({
    "outbound": [[outbound(c, v) for v, _ in values] for c in constraints],
    "inbound": [[inbound(c, data) for _, data in values] for c in constraints],
}, sys.stdout)
