"""A Perspective Broker service with a pond. Prints its port, and ends when its input does."""

from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol
from twisted.spread import pb


class NoSuchFrog(pb.Error):
    pass


class Frog(pb.Referenceable):
    def __init__(self, name):
        self.name = name

    def remote_jump(self, metres):
        return "%s jumps %s m" % (self.name, metres)


class Pond(pb.Root):
    frogs = {"Kermit": Frog("Kermit")}

    def remote_frog(self, name):
        if name not in self.frogs:
            raise NoSuchFrog("no frog is called %s" % name)
        return self.frogs[name]

    def remote_isYours(self, frog):
        return frog is self.frogs["Kermit"]

    def remote_greet(self, visitor):
        # The visitor's object is called back.
        return visitor.callRemote("name").addCallback(lambda name: "Welcome, " + name)


class EndOfInput(Protocol):
    def connectionLost(self, reason):
        reactor.stop()


port = reactor.listenTCP(0, pb.PBServerFactory(Pond()), interface="127.0.0.1")
stdio.StandardIO(EndOfInput())
reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
reactor.run()
