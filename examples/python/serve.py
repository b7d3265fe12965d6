"""A Tub with one object, for the examples: prints the FURL, and ends when its input does."""

from foolscap.api import Tub
from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol


def serve(root):
    tub = Tub()
    tub.startService()
    listener = tub.listenOn("tcp:0:interface=127.0.0.1")
    tub.setLocation("tcp:127.0.0.1:%d" % listener.getPortnum())

    class EndOfInput(Protocol):
        def connectionLost(self, reason):
            tub.stopService().addBoth(lambda _: reactor.stop())

    stdio.StandardIO(EndOfInput())
    reactor.callWhenRunning(lambda: print(tub.registerReference(root), flush=True))
    reactor.run()
