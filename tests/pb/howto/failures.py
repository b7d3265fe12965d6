"""Methods that fail: the parts of exc, trap and pb_exceptions."""

import gc

from stage import connect, main, say, text
from twisted.cred import checkers, credentials, portal
from twisted.internet import defer, reactor
from twisted.spread import jelly, pb
from zope.interface import implementer


class MyError(pb.Error):
    """To be expected."""


class MyError2(Exception):
    """Not to be expected."""


class Breaking(pb.Root):
    def remote_broken(self):
        raise MyError("fall down go boom")

    def remote_broken2(self):
        raise MyError2("hadda owie")


def exc(port):
    def told(failure, name):
        is_expected = failure.check(pb.Error) is not None
        say(name, failure.getErrorMessage(), text(failure.type), is_expected)

    def got(root):
        first = root.callRemote("broken").addErrback(told, "broken")
        return first.addCallback(lambda _: root.callRemote("broken2").addErrback(told, "broken2"))

    return connect(port).getRootObject().addCallback(got)


class MyException(pb.Error):
    pass


class MyOtherException(pb.Error):
    pass


class Trap(pb.Root):
    def remote_fooMethod(self, arg):
        if arg == "panic!":
            raise MyException
        return "response"

    def remote_shutdown(self):
        for port in listening():
            port.stopListening()
        # After the answer of this call.
        reactor.callLater(0, self.broker.transport.loseConnection)

    def rootObject(self, broker):
        self.broker = broker
        return self


def listening():
    return [reader for reader in reactor.getReaders() if hasattr(reader, "stopListening")]


class ScaryObject:
    """Is not safe to send."""


@defer.inlineCallbacks
def trap(port):
    root = yield connect(port).getRootObject()
    lost = defer.Deferred()
    root.notifyOnDisconnect(lambda _: lost.callback(None))

    def call(arg):
        def failed(failure):
            if failure.check(jelly.InsecureJelly):
                return say("InsecureJelly")
            which = failure.check(MyException, MyOtherException)
            say("the remote raised", which.__name__)

        d = root.callRemote("fooMethod", arg)
        return d.addCallbacks(lambda response: say("successful", response), failed)

    yield call("safe string")
    yield call(ScaryObject())
    yield call("panic!")
    root.callRemote("shutdown").addErrback(lambda _: None)
    yield lost
    try:
        yield call("dummy")
    except pb.DeadReferenceError:
        say("stale reference")


class Dividing(pb.Avatar):
    def perspective_exception(self, x):
        return x / 0


@implementer(portal.IRealm)
class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces):
        return pb.IPerspective, Dividing(), lambda: None


def dividing():
    users = checkers.InMemoryUsernamePasswordDatabaseDontUse(user=b"pass")
    factory = pb.PBServerFactory(portal.Portal(Realm(), [users]))
    factory.unsafeTracebacks = True
    return [factory]


@defer.inlineCallbacks
def pb_exceptions(port):
    avatar = yield connect(port).login(credentials.UsernamePassword(b"user", b"pass"))
    try:
        yield avatar.callRemote(b"exception", 10)
    except pb.RemoteError as error:
        is_shown = "perspective_exception" in text(error.remoteTraceback)
        say(text(error.remoteType), "shows its traceback", is_shown)
    del avatar
    gc.collect()


if __name__ == "__main__":
    main(
        {
            "exc": lambda: [pb.PBServerFactory(Breaking())],
            "trap": lambda: [pb.PBServerFactory(Trap())],
            "pb_exceptions": dividing,
        },
        {"exc": exc, "trap": trap, "pb_exceptions": pb_exceptions},
    )
