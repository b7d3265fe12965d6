"""A Python Tub with a shop. Prints its FURL, and ends when its input does."""

import sys

from foolscap.api import Referenceable, Tub
from twisted.internet import reactor, stdio
from twisted.internet.protocol import Protocol


class Item(Referenceable):
    def __init__(self, name, price):
        self.name, self.price = name, price

    def remote_name(self):
        return self.name

    def remote_price(self):
        return self.price


class Basket(Referenceable):
    def __init__(self):
        self.total = 0

    def remote_put(self, item, count):
        self.total += item.price * count
        return self

    def remote_total(self):
        return self.total


class Shop(Referenceable):
    items = [Item("green tea", 450), Item("black tea", 380), Item("cheesecake", 2200)]

    def remote_find(self, word):
        return [item for item in self.items if word in item.name]

    def remote_basket(self):
        return Basket()

    def remote_usual(self, name):
        return 1 if "cake" in name else 3


class EndOfInput(Protocol):
    def connectionLost(self, reason):
        tub.stopService().addBoth(lambda _: reactor.stop())


def listening(_):
    print(tub.registerReference(Shop()), flush=True)


tub = Tub()
tub.startService()
listener = tub.listenOn("tcp:0:interface=127.0.0.1")
tub.setLocation("tcp:127.0.0.1:%d" % listener.getPortnum())
reactor.callWhenRunning(listening, None)
stdio.StandardIO(EndOfInput())
reactor.run()
sys.exit(0)
