"""The Twisted half of the tests of caches, pages and published objects: a server and a client, told by JSON lines what to do.

    cache_peer.py [FOLDER]

FOLDER is where RemotePublished keeps its files.
"""

import gc
import io
import json
import os
import sys

from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.spread import pb, publish, util


def say(**line):
    print(json.dumps(line), flush=True)


class Pond(pb.Cacheable):
    def __init__(self):
        self.ducks = ["one"]
        self.observers = []
        self.stopped = 0

    def getStateToCacheAndObserveFor(self, perspective, observer):
        self.observers.append(observer)
        return {"ducks": self.ducks}

    def add(self, duck):
        self.ducks.append(duck)
        return defer.gatherResults([o.callRemote("add", duck, at=len(self.ducks)) for o in self.observers])

    def stoppedObserving(self, perspective, observer):
        # Observers of two clients cannot be compared (Twisted's issue 9671).
        self.observers = [o for o in self.observers if o.broker is not observer.broker]
        self.stopped += 1
        say(event="stopped")
        # Fails if the connection is lost.
        observer.callRemote("bye", pbanswer=False)


class RemotePond(pb.RemoteCache):
    """Of an owner at the other end."""

    def observe_add(self, duck):
        self.ducks.append(duck)
        return len(self.ducks)

    def observe_bye(self):
        say(event="bye", ducks=self.ducks)


pb.setUnjellyableForClass("deno.Pond", RemotePond)


class Pub(publish.Publishable):
    def getStateToPublish(self):
        return {"data": [1, 2], "text": "from python"}


class RemotePub(publish.RemotePublished):
    def activated(self):
        say(event="activated", data=self.data, clean=self._wasCleanWhenLoaded)


pb.setUnjellyableForClass("deno.Pub", RemotePub)


class Endless(util.Pager):
    def nextPage(self):
        return b"x" * 10000


class Root(pb.Root):
    def __init__(self):
        self.pond = Pond()
        self.pub = Pub("ID7")

    def remote_pond(self):
        return self.pond

    def remote_ponds(self):
        return [self.pond, self.pond]

    def remote_mine(self, pond):
        return pond is self.pond

    def remote_add(self, duck):
        return self.pond.add(duck)

    def remote_state(self):
        return [len(self.pond.observers), self.pond.stopped, self.pond.ducks]

    def remote_pub(self):
        return self.pub

    def remote_republish(self):
        self.pub.republish()

    def remote_pages(self, collector, data, size):
        util.StringPager(collector, data, size)

    def remote_file(self, collector, data):
        util.FilePager(collector, io.BytesIO(data))

    def remote_endless(self, collector):
        Endless(collector)

    def remote_failing(self, collector):
        raise pb.Error("no pages today")


class Lines(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command = json.loads(line)
        d = defer.maybeDeferred(getattr(self, "cmd_" + command["cmd"]), **{
            key: value for key, value in command.items() if key not in ("id", "cmd")
        })
        d.addCallbacks(
            lambda answer: say(id=command["id"], **(answer or {})),
            lambda f: say(id=command["id"], failure=dict(
                type=str(f.type), value=str(f.value), parents=[], traceback="", remote=False)),
        )

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()

    @defer.inlineCallbacks
    def cmd_connect(self, port):
        factory = pb.PBClientFactory()
        reactor.connectTCP("127.0.0.1", port, factory)
        self.root = yield factory.getRootObject()

    @defer.inlineCallbacks
    def cmd_getPond(self):
        pond = yield self.root.callRemote("pond")
        same = hasattr(self, "pond") and self.pond.__dict__ is pond.__dict__
        self.pond = pond
        home = yield self.root.callRemote("mine", pond)
        defer.returnValue({"ducks": pond.ducks, "same": same, "home": home, "luid": pond.luid})

    def cmd_ducks(self):
        return {"ducks": self.pond.ducks}

    @defer.inlineCallbacks
    def cmd_drop(self):
        del self.pond
        gc.collect()
        yield self.root.callRemote("ping")

    @defer.inlineCallbacks
    def cmd_tables(self):
        yield self.root.callRemote("ping")
        defer.returnValue({"held": len(self.root.broker.locallyCachedObjects)})

    @defer.inlineCallbacks
    def cmd_pages(self, method):
        pages = yield util.getAllPages(self.root, method)
        defer.returnValue({"pages": [p if isinstance(p, str) else p.decode() for p in pages],
                           "kinds": sorted({type(p).__name__ for p in pages})})

    @defer.inlineCallbacks
    def cmd_pub(self):
        pub = yield publish.whenReady(self.root.callRemote("pub"))
        defer.returnValue({"data": pub.data, "clean": pub._wasCleanWhenLoaded, "file": pub.getFileName()})


if len(sys.argv) > 1:
    os.chdir(sys.argv[1])
ready = {"ready": True, "port": reactor.listenTCP(0, pb.PBServerFactory(Root()), interface="127.0.0.1").getHost().port}
stdio.StandardIO(Lines())
reactor.callWhenRunning(lambda: say(**ready))
reactor.run()
