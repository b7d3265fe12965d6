"""Objects that are copied: the parts of copy, copy2 and cache. The client is the one that sends."""

import gc

from stage import connect, main, say
from twisted.internet import defer
from twisted.spread import pb


class LilyPond:
    def setStuff(self, color, numFrogs):
        self.color = color
        self.numFrogs = numFrogs


class CopyPond(LilyPond, pb.Copyable):
    def getTypeToCopy(self):
        return b"copy_sender.CopyPond"


class ReceiverPond(pb.RemoteCopy, LilyPond):
    pass


pb.setUnjellyableForClass("copy_sender.CopyPond", ReceiverPond)


class Receiver(pb.Root):
    def remote_takePond(self, pond):
        say("got pond", pond.color, pond.numFrogs)
        return "safe and sound"

    def remote_shutdown(self):
        say("shut down")


@defer.inlineCallbacks
def copy(port):
    root = yield connect(port).getRootObject()
    pond = CopyPond()
    pond.setStuff("green", 7)
    say("pond arrived", (yield root.callRemote("takePond", pond)))
    yield root.callRemote("shutdown")


class SenderPond(pb.Copyable):
    def __init__(self, numFrogs, numToads):
        self.numFrogs = numFrogs
        self.numToads = numToads

    def getTypeToCopy(self):
        return b"copy2_classes.SenderPond"

    def getStateToCopy(self):
        return {"frogsAndToads": self.numFrogs + self.numToads}


class ReceiverPond2(pb.RemoteCopy):
    def setCopyableState(self, state):
        self.__dict__ = state

    def count(self):
        return self.frogsAndToads


pb.setUnjellyableForClass("copy2_classes.SenderPond", ReceiverPond2)


class Receiver2(Receiver):
    def remote_takePond(self, pond):
        say("count", pond.count(), sorted(vars(pond)))
        return "safe and sound"


@defer.inlineCallbacks
def copy2(port):
    root = yield connect(port).getRootObject()
    say("pond arrived", (yield root.callRemote("takePond", SenderPond(3, 4))))
    yield root.callRemote("shutdown")


class MasterDuckPond(pb.Cacheable):
    def __init__(self, ducks):
        self.observers = []
        self.ducks = ducks

    def getTypeToCopy(self):
        return b"cache_classes.MasterDuckPond"

    def addDuck(self, duck):
        self.ducks.append(duck)
        for observer in self.observers:
            observer.callRemote("addDuck", duck)

    def removeDuck(self, duck):
        self.ducks.remove(duck)
        for observer in self.observers:
            observer.callRemote("removeDuck", duck)

    def getStateToCacheAndObserveFor(self, perspective, observer):
        self.observers.append(observer)
        return self.ducks

    def stoppedObserving(self, perspective, observer):
        self.observers.remove(observer)
        say("nobody watches", len(self.observers))


class SlaveDuckPond(pb.RemoteCache):
    def setCopyableState(self, state):
        self.cacheducks = state

    def observe_addDuck(self, newDuck):
        say("add duck", newDuck)
        self.cacheducks.append(newDuck)

    def observe_removeDuck(self, deadDuck):
        say("remove duck", deadDuck)
        self.cacheducks.remove(deadDuck)


pb.setUnjellyableForClass("cache_classes.MasterDuckPond", SlaveDuckPond)


class CacheReceiver(pb.Root):
    def remote_takePond(self, pond):
        self.pond = pond
        self.remote_checkDucks()

    def remote_checkDucks(self):
        say("ducks", list(self.pond.cacheducks))

    def remote_ignorePond(self):
        self.pond = None
        gc.collect()

    def remote_shutdown(self):
        say("shut down")


@defer.inlineCallbacks
def cache(port):
    root = yield connect(port).getRootObject()
    pond = MasterDuckPond(["one duck", "two duck"])
    yield root.callRemote("takePond", pond)
    pond.addDuck("ugly duckling")
    yield root.callRemote("checkDucks")
    pond.removeDuck("one duck")
    yield root.callRemote("checkDucks")
    yield root.callRemote("ignorePond")
    yield root.callRemote("shutdown")


if __name__ == "__main__":
    main(
        {
            "copy": lambda: [pb.PBServerFactory(Receiver())],
            "copy2": lambda: [pb.PBServerFactory(Receiver2())],
            "cache": lambda: [pb.PBServerFactory(CacheReceiver())],
        },
        {"copy": copy, "copy2": copy2, "cache": cache},
    )
