"""A Python Tub with a calculator. Prints its FURL, and ends when its input does."""

import sys

from foolscap.api import Referenceable, Tub
from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol


class Calculator(Referenceable):
    def remote_add(self, a, b):
        return a + b

    def remote_divide(self, a, b):
        return a / b

    def remote_describe(self, value):
        return repr(value)


class EndOfInput(Protocol):
    def connectionLost(self, reason):
        tub.stopService().addBoth(lambda _: reactor.stop())


def listening(_):
    print(tub.registerReference(Calculator()), flush=True)


tub = Tub()
tub.startService()
listener = tub.listenOn("tcp:0:interface=127.0.0.1")
tub.setLocation("tcp:127.0.0.1:%d" % listener.getPortnum())
reactor.callWhenRunning(listening, None)
stdio.StandardIO(EndOfInput())
reactor.run()
sys.exit(0)
