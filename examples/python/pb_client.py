"""A Twisted client that logs in to a Perspective Broker service: pb_client.py PORT"""

import sys

from twisted.cred.credentials import Anonymous, UsernamePassword
from twisted.internet import defer, task
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.spread import pb


class Listener(pb.Referenceable):
    def remote_heard(self, sender, text):
        print("Python heard %s say: %s" % (sender, text))


@defer.inlineCallbacks
def main(reactor):
    factory = pb.PBClientFactory()
    yield TCP4ClientEndpoint(reactor, "127.0.0.1", int(sys.argv[1])).connect(factory)

    alice = yield factory.login(UsernamePassword(b"alice", b"wonderland"), Listener())
    bob = yield factory.login(UsernamePassword(b"bob", b"builder"), Listener())
    print("present:", (yield alice.callRemote("present")))
    yield alice.callRemote("say", "hello")

    guest = yield factory.login(Anonymous())
    print("a guest sees", (yield guest.callRemote("count")), "people")
    del bob
    print("present:", (yield alice.callRemote("present")))

    try:
        yield factory.login(UsernamePassword(b"alice", b"looking-glass"))
    except pb.RemoteError as error:
        print("refused:", error.remoteType.decode())
    factory.disconnect()


task.react(main)
