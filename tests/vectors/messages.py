"""The conversations of messages.json: two real Brokers, joined in memory, and every message that went across."""

from decimal import Decimal

from foolscap.api import Referenceable, RemoteInterface, Tub, Violation, eventually, fireEventually, flushEventualQueue
from foolscap.broker import Broker
from foolscap.referenceable import TubRef
from foolscap.vocab import vocab_v1
from twisted.internet import defer, task
from twisted.internet import reactor
from twisted.python.failure import Failure
from zope.interface import implementer

from described import copyable_class
from reader import Reader, split
from values import copyable

TUB_IDS = {name: letter * 31 + "a" for name, letter in (("client", "c"), ("server", "s"), ("third", "t"))}


class FixedTub(Tub):
    """A Tub whose names do not change from run to run."""

    def setupEncryption(self, certData):
        pass

    def generateSwissnumber(self, bits):
        self.named += 1
        return "swissnumber%d" % self.named


def make_tub(name):
    tub = FixedTub()
    tub.named = 0
    tub.tubID = TUB_IDS[name]
    tub.unsafeTracebacks = False
    tub.setLocation("tcp:127.0.0.1:%d" % (1000 + sorted(TUB_IDS).index(name)))
    return tub


class Wire:
    """One direction: keeps what is written, whole message by whole message, and hands it to the peer in a later turn."""

    def __init__(self, sender, log):
        self.sender, self.log = sender, log
        self.reader = Reader(vocab_v1)
        self.pending = b""
        self.flushing = False

    def write(self, data):
        self.pending += data
        if not self.flushing:
            self.flushing = True
            eventually(self.flush)

    def flush(self):
        self.flushing = False
        whole, rest = split(self.pending)
        assert rest == b"", "a message was not written in one turn"
        self.pending = b""
        for data in whole:
            self.log.append({"from": self.sender, "hex": data.hex(), "message": self.reader.message(data)})
            self.peer.dataReceived(data)

    def loseConnection(self, why=None):
        raise AssertionError("a Broker dropped the connection: %s" % why)


def join(tub_a, name_a, tub_b, name_b, log):
    a = Broker(TubRef(tub_b.tubID), {"initial-vocab-table-index": 1})
    b = Broker(TubRef(tub_a.tubID), {"initial-vocab-table-index": 1})
    for broker, tub, name, peer in ((a, tub_a, name_a, b), (b, tub_b, name_b, a)):
        broker.setTub(tub)
        broker.transport = Wire(name, log)
        broker.transport.peer = peer
        broker.connectionMade()
    return a, b


class RIEcho(RemoteInterface):
    __remote_name__ = "RIEcho.example.com"

    def echo(value=bytes):
        return bytes


@implementer(RIEcho)
class Strict(Referenceable):
    def remote_echo(self, value):
        return value


class Plain(Referenceable):
    pass


class CustomError(Exception):
    pass


class Root(Referenceable):
    def __init__(self):
        self.kept = Plain()
        self.strict = Strict()

    def remote_echo(self, value=None, **others):
        return value

    def remote_add(self, a, b):
        return a + b

    def remote_give(self):
        return self.kept

    def remote_give_strict(self):
        return self.strict

    def remote_is_mine(self, value):
        return value is self.kept

    def remote_call_back(self, target):
        return target.callRemote("poke", 1)

    def remote_call_function(self, target):
        return target.callRemote(n=7)

    def remote_fail(self, kind):
        if kind == "key":
            raise KeyError("k", "v")
        if kind == "custom":
            raise CustomError("not ascii: \u20ac")
        if kind == "long":
            raise ValueError("x" * 1500)
        if kind == "traceback":
            # A Failure that was never raised has no frames, so its text names no file of this machine.
            return defer.fail(Failure(ValueError("with a traceback")))
        if kind == "violation":
            raise Violation("refused")
        raise ValueError("you asked me to fail")

    def remote_function(self):
        return self.remote_add

    def remote_unsendable(self):
        return object()

    def remote_unsendable_inside(self):
        return [1, {"a": object()}]

    def remote_nothing(self):
        pass

    def remote_take(self, value):
        pass


class Client(Referenceable):
    def __init__(self):
        self.pokes = 0

    def remote_poke(self, n):
        self.pokes += n
        return self.pokes


@defer.inlineCallbacks
def settle():
    # Answers cross in later turns, and decrefs start in a turn of their own.
    for _ in range(8):
        yield flushEventualQueue()
        yield task.deferLater(reactor, 0, lambda: None)


@defer.inlineCallbacks
def vectors():
    rows, log, other_log = [], [], []
    client, server, third = make_tub("client"), make_tub("server"), make_tub("third")
    near, far = join(client, "client", server, "server", log)
    third_near, _ = join(client, "client", third, "third", other_log)
    server.registerReference(Root(), "root")
    third.registerReference(Plain(), "carol")
    caller = Client()
    held = {}
    copyable_class("cp.test")

    @defer.inlineCallbacks
    def step(name, action, keep=None):
        start = len(log)
        got = []
        deferred = defer.maybeDeferred(action)
        deferred.addBoth(got.append)
        yield settle()
        if keep:
            held[keep] = got[0]
        for index, entry in enumerate(log[start:]):
            rows.append({"name": "%s, message %d" % (name, index + 1), **entry})
        assert len(log) > start, (name, got)

    def root(*args, **kwargs):
        return lambda: held["root"].callRemote(*args, **kwargs)

    yield step("getReferenceByName", lambda: near.getYourReferenceByName("root"), "root")
    yield step("getReferenceByName again", lambda: near.getYourReferenceByName("root"))
    yield step("getReferenceByName of an unknown name", lambda: near.getYourReferenceByName("nosuch"))
    yield step("call with a positional argument", root("echo", b"hi"))
    yield step("call with two positional arguments", root("add", 1, 2))
    yield step("call with keyword arguments", root("add", b=2, a=1))
    yield step("call with both", root("echo", 1, z=True, y=None))
    yield step("call without arguments", root("nothing"))
    yield step("callRemoteOnly", lambda: held["root"].callRemoteOnly("echo", b"no answer"))
    yield step("call after callRemoteOnly", root("echo", 2.5))
    yield step("call of a vocab word", root("list", "error"))
    yield step("call with a name outside ascii", root("caf\u00e9"))
    shared = [1]
    yield step("call with a shared list", root("echo", [shared, shared]))
    yield step("call with a shared list in two arguments", root("echo", shared, other=shared))
    ring = []
    ring.append(ring)
    yield step("call with a cycle", root("echo", ring))
    yield step("call with one of everything",
               root("echo", [0, -1, 2**64, -2**64, 1.5, b"b", "t", None, True, Decimal("1.10"), (1,), {"k": [2]}, {3},
                             frozenset([4])]))
    yield step("call with a copyable", root("echo", copyable("cp.test", a=1, b="x")))
    yield step("error KeyError", root("fail", "key"))
    yield step("error ValueError", root("fail", "value"))
    yield step("error of the program's own class", root("fail", "custom"))
    yield step("error with a long text", root("fail", "long"))
    yield step("error Violation", root("fail", "violation"))
    far.unsafeTracebacks = True
    yield step("error with a traceback", root("fail", "traceback"))
    far.unsafeTracebacks = False
    yield step("error missing method", root("nosuch"))
    yield step("error wrong arguments", root("add", 1))
    yield step("answer that cannot be sent", root("unsendable"))
    yield step("answer with a part that cannot be sent", root("unsendable_inside"))
    yield step("argument that cannot be sent", root("echo", [1, {"a": object()}]))
    yield step("call after one that was aborted", root("echo", b"still here"))
    yield step("my-reference long form in an answer", root("give"), "kept")
    yield step("my-reference short form in an answer", root("give"))
    yield step("my-reference with an interface", root("give_strict"), "strict")
    yield step("call of an object with an interface", lambda: held["strict"].callRemote("echo", b"x"))
    yield step("your-reference in a call", lambda: held["root"].callRemote("is_mine", held["kept"]))
    yield step("your-reference twice in a list", lambda: held["root"].callRemote("echo", [held["kept"], held["kept"]]))
    yield step("my-reference in a call, your-reference in its answer", root("echo", caller))
    yield step("my-reference short form in a call", root("echo", caller))
    yield step("call back", root("call_back", caller))
    yield step("function as a result", root("function"), "function")
    # A Python caller can give a function keyword arguments only.
    yield step("call of a function", lambda: held["function"].callRemote(b=1, a=2))
    yield step("function as an argument", root("call_function", caller.remote_poke))
    carol = yield third_near.getYourReferenceByName("carol")
    # The recipient fetches the gift from the third Tub; here it is given one.
    server.getReference = lambda furl: fireEventually(Plain())
    yield step("their-reference in a call", lambda: held["root"].callRemote("take", carol))
    yield step("their-reference twice in a call", lambda: held["root"].callRemote("take", [carol, carol]))
    yield step("decref of an object received once", lambda: held.pop("strict") and None)
    yield step("decref of an object received four times", lambda: held.pop("kept") and None)
    yield step("my-reference under a new clid after a decref", root("give"), "kept")
    yield step("decref of a function", lambda: held.pop("function") and None)
    yield step("decref of an unknown clid", lambda: near.remote_broker.callRemote("decref", clid=99, count=1))
    yield step("decref of too many", lambda: near.remote_broker.callRemote("decref", clid=1, count=50))
    yield step("ping and pong", lambda: near.sendPING(5))
    yield step("ping and pong without a number", lambda: near.sendPING())
    return rows
