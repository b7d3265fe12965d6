"""A Python Tub with a calculator. Prints its FURL, and ends when its input does."""

from foolscap.api import Referenceable

from serve import serve


class Calculator(Referenceable):
    def remote_add(self, a, b):
        return a + b

    def remote_divide(self, a, b):
        return a / b

    def remote_describe(self, value):
        return repr(value)


serve(Calculator())
