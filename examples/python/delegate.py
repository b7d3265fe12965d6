"""A Python Tub that is given capabilities, and passes on what it was given. Prints its FURL, and ends when its input does."""

import sys

from foolscap.api import Referenceable, Tub
from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol


class Agent(Referenceable):
    """Knows nothing of membranes: a reference is a reference."""

    archive = None

    def remote_give(self, archive):
        self.archive = archive

    def remote_read(self, title):
        d = self.archive.callRemote("open", title)
        return d.addCallback(lambda document: document.callRemote("text"))

    def remote_delegate(self, somebody):
        """Passes on what it has, to whomever it is told."""
        return somebody.callRemote("receive", self.archive)


class EndOfInput(Protocol):
    def connectionLost(self, reason):
        tub.stopService().addBoth(lambda _: reactor.stop())


def listening(_):
    print(tub.registerReference(Agent()), flush=True)


tub = Tub()
tub.startService()
listener = tub.listenOn("tcp:0:interface=127.0.0.1")
tub.setLocation("tcp:127.0.0.1:%d" % listener.getPortnum())
reactor.callWhenRunning(listening, None)
stdio.StandardIO(EndOfInput())
reactor.run()
sys.exit(0)
