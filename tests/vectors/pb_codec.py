"""Twisted's jelly and banana, without a connection."""

from twisted.spread import banana, jelly


class Codec(banana.Banana):
    """Banana in one dialect, writing to and reading from byte strings."""

    def __init__(self, dialect):
        banana.Banana.__init__(self)
        self.transport = self
        self.written = b""
        self.received = []
        self.connectionMade()
        self._selectDialect(dialect)
        self.written = b""

    def write(self, data):
        self.written += data

    def expressionReceived(self, expression):
        self.received.append(expression)

    def encode(self, expression):
        self.written = b""
        self.sendEncoded(expression)
        return self.written

    def decode(self, data):
        self.received = []
        self.dataReceived(data)
        (expression,) = self.received
        return expression


def jellied(value):
    return jelly.jelly(value, jelly.globalSecurity)


def unjellied(expression):
    return jelly.unjelly(expression, jelly.globalSecurity)
