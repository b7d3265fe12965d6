"""Watches the auction of pb_cache.ts: bids 12, and 20 when somebody bids more."""

import sys

from twisted.internet import reactor
from twisted.spread import pb


class RemoteAuction(pb.RemoteCache):
    def observe_price(self, price):
        self.price = price
        print("Bob sees %s at %d" % (self.item, price))
        if 12 < price < 20:
            root.callRemote("bid", self, 20).addCallbacks(done, failed)


pb.setUnjellyableForClass("auction.Auction", RemoteAuction)


def connected(found):
    global root
    root = found
    return root.callRemote("auction").addCallback(lambda auction: root.callRemote("bid", auction, 12).addCallback(keep, auction))


def keep(_, auction):
    kept.append(auction)


def done(_):
    factory.disconnect()
    reactor.stop()


def failed(failure):
    print(failure.getErrorMessage())
    reactor.stop()


kept = []
factory = pb.PBClientFactory()
reactor.connectTCP("127.0.0.1", int(sys.argv[1]), factory)
factory.getRootObject().addCallback(connected).addErrback(failed)
reactor.run()
