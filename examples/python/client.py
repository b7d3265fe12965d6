"""A Python client: takes a FURL, calls the object behind it, and hands over an object of its own."""

import sys

from foolscap.api import Referenceable, Tub
from twisted.internet import defer, task


class Visitor(Referenceable):
    def remote_name(self):
        return "Python %d.%d" % sys.version_info[:2]


@defer.inlineCallbacks
def main(_reactor, furl):
    tub = Tub()
    tub.startService()
    greeter = yield tub.getReference(furl)
    print("greet:", (yield greeter.callRemote("greet", "Python")))
    print("introduce:", (yield greeter.callRemote("introduce", Visitor())))

    def failed(failure):
        # A JavaScript TypeError is a TypeError for Python's check, too.
        assert failure.check("builtins.TypeError"), failure.type
        print("fail:", failure.type, "-", failure.value)

    yield greeter.callRemote("fail").addErrback(failed)
    yield tub.stopService()


task.react(main, sys.argv[1:])
