"""Copies, errors and catch-alls for the tests: a Twisted server, and a Twisted client, told by JSON lines what to do.

It serves `Root` on TCP and prints {"ready": true, "port": ...}. {"id": 1, "cmd": "run", "port": ..., "what": ...} has a
client of it run `what_...` against a server elsewhere; what comes of that is the answer.
"""

import json

from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.spread import flavors, jelly, pb


def say(**line):
    print(json.dumps(line), flush=True)


class Pond(pb.Copyable, pb.RemoteCopy):
    """The same class at both ends, as in Twisted's documentation."""
    __module__ = "tests"

    def __init__(self, frogs, ducks=()):
        self.frogs = frogs
        self.ducks = list(ducks)


class SenderPond(pb.Copyable):
    """The receiver is told less than there is, and not the same."""
    __module__ = "tests"

    def __init__(self):
        self.secret = "under the third stone"

    def getStateToCopy(self):
        return {"count": 7, "label": "seven"}


class ReceiverPond(pb.RemoteCopy):
    def setCopyableState(self, state):
        self.total = state["count"]


class Wide(pb.Copyable):
    """Its tag and state are of its own making."""

    def getTypeToCopyFor(self, perspective):
        return b"tests.wide"

    def getStateToCopyFor(self, perspective):
        return ("any", 5, None)


class Broken(pb.Copyable):
    __module__ = "tests"

    def getStateToCopy(self):
        raise ValueError("no state today")


class JellyError(flavors.Jellyable, pb.Error, pb.RemoteCopy):
    """An exception that travels by itself."""
    __module__ = "tests"


class Allowed(pb.Error, pb.RemoteCopy):
    """An exception that the security options let travel."""
    __module__ = "tests"


class Dog(pb.Copyable, pb.RemoteCopy):
    __module__ = "tests.tree"


class Duck(pb.Copyable, pb.RemoteCopy):
    __module__ = "tests.tree"


class Made:
    def __init__(self, state):
        self.state = state


pb.setUnjellyableForClass("tests.Pond", Pond)
pb.setUnjellyableForClass("tests.SenderPond", ReceiverPond)
pb.setUnjellyableFactoryForClass("tests.Made", Made)
pb.setUnjellyableForClass("tests.JellyError", JellyError)
pb.setUnjellyableForClass("tests.Allowed", Allowed)
pb.globalSecurity.allowInstancesOf(Allowed)


class Tree:
    __name__ = "tree"
    Dog = Dog
    Duck = Duck


flavors.setUnjellyableForClassTree(Tree, pb.RemoteCopy, "tests.tree")


class CatchAll(pb.Referenceable):
    def remoteMessageReceived(self, broker, message, args, kw):
        args = broker.unserialize(args)
        return broker.serialize("%s%r" % (message, args))


class Root(pb.Root):
    def remote_pond(self):
        return Pond(12, ["one", "two"])

    def remote_twice(self):
        pond = Pond(1)
        return [pond, pond]

    def remote_frogs(self, pond):
        return [type(pond).__name__, pond.frogs, pond.ducks]

    def remote_home(self, pond):
        pond.frogs += 1
        return pond

    def remote_senderPond(self):
        return SenderPond()

    def remote_total(self, pond):
        return [type(pond).__name__, pond.total]

    def remote_wide(self):
        return Wide()

    def remote_made(self, made):
        return [type(made).__name__, made.state]

    def remote_tree(self, *animals):
        return [type(animal).__name__ for animal in animals]

    def remote_broken(self):
        return Broken()

    def remote_jellyError(self):
        error = JellyError("lost on the way")
        error.shelf = 5
        raise error

    def remote_later(self):
        error = JellyError()
        error.shelf = 6
        return defer.fail(error)

    def remote_allowed(self):
        error = Allowed()
        error.shelf = 7
        raise error

    def remote_catchAll(self):
        return CatchAll()

    def remote_relay(self, ref, *args):
        return ref.callRemote(*args)


class Client:
    def __init__(self, root):
        self.root = root

    @defer.inlineCallbacks
    def what_copies(self):
        pond = yield self.root.callRemote("pond")
        again = yield self.root.callRemote("home", pond)
        one, two = yield self.root.callRemote("twice")
        seven = yield self.root.callRemote("senderPond")
        made = yield self.root.callRemote("made")
        animals = yield self.root.callRemote("tree")
        defer.returnValue([
            [type(pond).__name__, pond.frogs, pond.ducks], again.frogs, one is two, [type(seven).__name__, seven.total],
            [type(made).__name__, made.state], [type(animal).__name__ for animal in animals],
        ])

    @defer.inlineCallbacks
    def what_badState(self):
        try:
            yield self.root.callRemote("frogs", Broken())
        except ValueError as error:
            here = str(error)
        try:
            yield self.root.callRemote("broken")
        except pb.RemoteError as error:
            there = error.remoteType.decode()
        defer.returnValue([here, there, (yield self.root.callRemote("frogs", Pond(3)))])

    def what_trap(self, method):
        def trapped(f):
            f.trap(JellyError)
            return [type(f.value).__name__, f.value.__dict__.get("shelf")]
        return self.root.callRemote(method).addErrback(trapped)

    def what_trapAllowed(self):
        def trapped(f):
            f.trap(Allowed)
            return [type(f.value).__name__, f.value.__dict__.get("shelf")]
        return self.root.callRemote("allowed").addErrback(trapped)

    async def coroutine(self):
        try:
            await self.root.callRemote("fail")
        except pb.RemoteError as error:
            return [error.remoteType.decode(), str(error), error.remoteTraceback]

    def what_coroutine(self):
        return defer.ensureDeferred(self.coroutine())

    @defer.inlineCallbacks
    def what_catchAll(self):
        ref = yield self.root.callRemote("catchAll")
        defer.returnValue([(yield ref.callRemote("anything", 1, b"x")), (yield ref.callRemote("at all"))])

    def what_relayed(self):
        """Its own failure, by a server elsewhere and back."""
        def checked(f):
            return [f.check("tests.OutOfStock"), f.check(pb.Error) is not None, f.getErrorMessage()]
        return self.root.callRemote("relay", Failing(), "fail").addErrback(checked)


class OutOfStock(pb.Error):
    __module__ = "tests"
    __qualname__ = "OutOfStock"


class Failing(pb.Referenceable):
    def remote_fail(self):
        raise OutOfStock("none left")


class Lines(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command = json.loads(line)
        d = self.run(**{key: value for key, value in command.items() if key not in ("id", "cmd")})
        d.addCallbacks(
            lambda result: say(id=command["id"], result=result),
            lambda f: say(id=command["id"], failure=dict(type="%s" % (f.type,), value=str(f.value), parents=[], traceback="")),
        )

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()

    @defer.inlineCallbacks
    def run(self, port, what, args=()):
        factory = pb.PBClientFactory()
        reactor.connectTCP("127.0.0.1", port, factory)
        root = yield factory.getRootObject()
        try:
            defer.returnValue((yield getattr(Client(root), "what_" + what)(*args)))
        finally:
            factory.disconnect()


port = reactor.listenTCP(0, pb.PBServerFactory(Root()), interface="127.0.0.1").getHost().port
stdio.StandardIO(Lines())
reactor.callWhenRunning(lambda: say(ready=True, port=port))
reactor.run()
