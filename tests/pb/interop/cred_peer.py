"""Logins of Perspective Broker for the tests: a Twisted portal and Twisted clients, told by JSON lines what to do.

    cred_peer.py memory|both|anonymous|file [PASSWORDS]

It serves a portal whose checkers are named by the first word, on TCP, and prints {"ready": true, "port": ...}. Commands come
on stdin, as those of peer.py do.
"""

import gc
import json
import sys

from zope.interface import implementer

from twisted.cred import checkers, credentials, portal
from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.spread import pb


def say(**line):
    print(json.dumps(line), flush=True)


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


log = []


class User(pb.Avatar):
    def __init__(self, name):
        self.name = name

    def perspective_whoami(self):
        return self.name

    def perspective_add(self, a, b=0):
        return a + b

    def perspective_fail(self):
        raise pb.Error("of the avatar")

    def perspective_view(self):
        return view

    def perspective_isView(self, other):
        return isinstance(other, pb.ViewPoint) and other.object is view and other.perspective is self


class View(pb.Viewable):
    def view_who(self, perspective, *args, **kw):
        return [perspective.name, list(args), sorted(kw.items())]


view = View()


class Guest(pb.Referenceable):
    def remote_whoami(self):
        return "guest"


guest = Guest()


@implementer(pb.IPerspective)
class Bare:
    """No pb.Avatar."""

    def perspectiveMessageReceived(self, broker, message, args, kw):
        return broker.serialize([text(message), list(broker.unserialize(args))])


@implementer(portal.IRealm)
class Realm:
    @defer.inlineCallbacks
    def requestAvatar(self, avatarId, mind, *interfaces):
        assert interfaces == (pb.IPerspective,)
        name = "anonymous" if avatarId == () else text(avatarId)
        if name == "mallory":
            raise NotImplementedError("no room")
        if mind is not None:
            yield mind.callRemote("welcome", name)
        log.append("in " + name)
        avatar = guest if avatarId == () else Bare() if name == "bare" else User(name)
        defer.returnValue((pb.IPerspective, avatar, lambda: log.append("out " + name)))


class Mind(pb.Referenceable):
    def __init__(self):
        self.heard = []

    def remote_welcome(self, name):
        self.heard.append(name)


class Lines(LineReceiver):
    delimiter = b"\n"

    def __init__(self):
        self.names = {}
        self.mind = Mind()

    def lineReceived(self, line):
        command = json.loads(line)
        d = defer.maybeDeferred(getattr(self, "cmd_" + command["cmd"]), **{
            key: value for key, value in command.items() if key not in ("id", "cmd")
        })
        d.addCallbacks(
            lambda answer: say(id=command["id"], **(answer or {})),
            lambda f: say(id=command["id"], failure=dict(
                type=text(f.type) if isinstance(f.type, bytes) else "%s.%s" % (f.type.__module__, f.type.__name__),
                value=str(f.value), parents=[text(p) for p in f.parents], traceback="",
                remote=isinstance(f, pb.CopiedFailure))),
        )

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()

    def cmd_connect(self, port):
        self.factory = pb.PBClientFactory()
        reactor.connectTCP("127.0.0.1", port, self.factory)
        return self.factory.getRootObject().addCallback(lambda root: None)

    def cmd_login(self, name=None, password=None, as_="avatar", mind=False):
        """A password as text is a mistake that Twisted finds itself; a name as text is one that a server does."""
        if name is None:
            how = credentials.Anonymous()
        else:
            how = credentials.UsernamePassword(name.encode(), password.encode())
        d = self.factory.login(how, self.mind if mind else None)
        return d.addCallback(lambda avatar: self.names.__setitem__(as_, avatar))

    def cmd_loginMany(self, users):
        ds = [self.factory.login(credentials.UsernamePassword(name.encode(), password.encode()))
              for name, password in users]

        def came(results):
            return {"results": [ok or text(f.type) for ok, f in results]}

        return defer.DeferredList(ds, consumeErrors=True).addCallback(came)

    @defer.inlineCallbacks
    def cmd_respondTwice(self, name, wrong, right):
        """What Twisted's own server takes: the same challenge is answered again."""
        root = yield self.factory.getRootObject()
        challenge, challenger = yield root.callRemote("login", name.encode())
        types = []
        for password in (wrong, right):
            try:
                yield challenger.callRemote("respond", pb.respond(challenge, password.encode()), None)
                types.append(None)
            except pb.RemoteError as error:
                types.append(text(error.remoteType))
        defer.returnValue({"types": types})

    def cmd_call(self, method, args=(), kw={}, on="avatar", name=None):
        args = [self.names[arg["ref"]] if isinstance(arg, dict) else arg for arg in args]
        d = self.names[on].callRemote(method, *args, **kw)

        def came(result):
            if name is None:
                return {"result": repr(result)}
            self.names[name] = result

        return d.addCallback(came)

    def cmd_sendMuch(self, on, method, length):
        """One call with a list of two byte strings; on root, of one who is perhaps not logged in."""
        much = [b"x" * length, b"y" * length]
        if on == "root":
            d = self.factory.getRootObject().addCallback(lambda root: root.callRemote(method, much))
        else:
            d = self.names[on].callRemote(method, much)
        return d.addCallback(lambda result: {"result": repr(result)})

    def cmd_drop(self, name="avatar"):
        del self.names[name]
        gc.collect()

    def cmd_heard(self):
        return {"heard": self.mind.heard}

    def cmd_disconnect(self):
        self.factory.disconnect()

    def cmd_log(self):
        return {"log": log}


which, *rest = sys.argv[1:]
users = dict(alice=b"wonderland", bob=b"builder", mallory=b"x", bare=b"x")
checkers_ = {
    "memory": lambda: [checkers.InMemoryUsernamePasswordDatabaseDontUse(**users)],
    "both": lambda: [checkers.InMemoryUsernamePasswordDatabaseDontUse(**users), checkers.AllowAnonymousAccess()],
    "file": lambda: [checkers.FilePasswordDB(rest[0], caseSensitive=False)],
    "anonymous": lambda: [checkers.AllowAnonymousAccess()],
}[which]()
port = reactor.listenTCP(0, pb.PBServerFactory(portal.Portal(Realm(), checkers_)), interface="127.0.0.1")
stdio.StandardIO(Lines())
reactor.callWhenRunning(lambda: say(ready=True, port=port.getHost().port))
reactor.run()
