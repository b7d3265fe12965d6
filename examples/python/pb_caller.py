"""A Twisted client of a Perspective Broker service: pb_caller.py PORT"""

import sys

from twisted.internet import defer, task
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.spread import pb


class Listener(pb.Referenceable):
    def remote_heard(self, text):
        print("Python heard:", text)


@defer.inlineCallbacks
def main(reactor):
    factory = pb.PBClientFactory()
    yield TCP4ClientEndpoint(reactor, "127.0.0.1", int(sys.argv[1])).connect(factory)
    root = yield factory.getRootObject()
    print("add:", (yield root.callRemote("add", 1, b=2)))
    yield root.callRemote("tell", Listener(), "hello from Deno")
    try:
        yield root.callRemote("fail")
    except pb.RemoteError as error:
        print("fail:", error.remoteType.decode(), "-", error)
    factory.disconnect()


task.react(main)
