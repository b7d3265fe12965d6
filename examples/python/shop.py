"""A Python Tub with a shop. Prints its FURL, and ends when its input does."""

from foolscap.api import Referenceable

from serve import serve


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


serve(Shop())
