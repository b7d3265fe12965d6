"""The Twisted half of the test of reference counts: a server that tells how Twisted counts its objects.

    counts_peer.py

It prints {"ready": true, "port": ...}, and ends when its standard input does.
"""

import gc
import json

from twisted.internet import reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.spread import pb


class Thing(pb.Referenceable):
    def __init__(self, index):
        self.index = index


class Root(pb.Root):
    things = [Thing(index) for index in range(4)]

    def __init__(self):
        self.kept = {}

    def rootObject(self, broker):
        self.broker = broker
        return self

    def remote_give(self, *indices):
        return [self.things[index] for index in indices]

    def remote_isHome(self, index, thing):
        return thing is self.things[index]

    def remote_keep(self, index, thing):
        self.kept.setdefault(index, []).append(thing)

    def remote_drop(self, index):
        self.kept.pop(index, None)
        gc.collect()

    def remote_counts(self):
        counts = {"%d" % thing.index: 0 for thing in self.things}
        for local in self.broker.localObjects.values():
            if isinstance(local.object, Thing):
                counts["%d" % local.object.index] = local.refcount
        return counts


class Lines(LineReceiver):
    delimiter = b"\n"

    def connectionLost(self, reason):
        reactor.stop()


port = reactor.listenTCP(0, pb.PBServerFactory(Root()), interface="127.0.0.1").getHost().port
stdio.StandardIO(Lines())
print(json.dumps({"ready": True, "port": port}), flush=True)
reactor.run()
