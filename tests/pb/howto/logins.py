"""Users who log in: the parts of pb5, pb6, pb7, anon, pbecho, pbbench and chat."""

import gc

from stage import connect, main, say, text
from twisted.cred import checkers, credentials, portal
from twisted.internet import defer
from twisted.spread import pb
from zope.interface import implementer


@implementer(portal.IRealm)
class Realm:
    """Makes an avatar of each name."""

    def __init__(self, make):
        self.make = make

    def requestAvatar(self, avatarId, mind, *interfaces):
        if pb.IPerspective not in interfaces:
            raise NotImplementedError
        name = "Anonymous" if avatarId is checkers.ANONYMOUS else avatarId.decode()
        avatar = self.make(name)
        attached = getattr(avatar, "attached", None)
        if attached is not None:
            attached(mind)
        return pb.IPerspective, avatar, getattr(avatar, "logout", lambda: None)


def factory(make, anonymous=False, **users):
    known = checkers.InMemoryUsernamePasswordDatabaseDontUse(
        **{name: password.encode() for name, password in users.items()})
    return pb.PBServerFactory(
        portal.Portal(Realm(make), [known] + ([checkers.AllowAnonymousAccess()] if anonymous else [])))


def login(port, name, password, mind=None):
    made = connect(port)
    return made.login(credentials.UsernamePassword(name.encode(), password.encode()), mind)


class MyPerspective(pb.Avatar):
    def __init__(self, name):
        self.name = name

    def perspective_foo(self, arg):
        say("I am", self.name, "foo", arg)


def perspectives(anonymous=False, **users):
    return lambda: [factory(MyPerspective, anonymous, **users)]


@defer.inlineCallbacks
def pb5(port):
    perspective = yield login(port, "user1", "pass1")
    yield perspective.callRemote("foo", 12)


@defer.inlineCallbacks
def pb6(port):
    first = yield login(port, "user1", "pass1")
    second = yield login(port, "user2", "pass2")
    yield first.callRemote("foo", 13)
    yield second.callRemote("foo", 14)


class ServicePerspective(pb.Avatar):
    def __init__(self, service, name):
        self.service = service
        self.name = name

    def perspective_foo(self, arg):
        say(self.service, self.name, "foo", arg)


def services():
    def of(service, **users):
        return factory(lambda name: ServicePerspective(service, name), **users)

    return [
        of("service1", user1="pass1", user2="pass2"),
        of("service2", user1="pass1", user2="pass2"),
        of("service3", user3="pass3"),
    ]


@defer.inlineCallbacks
def pb7(*ports):
    number = 10
    for user, service in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)]:
        perspective = yield login(ports[service - 1], "user%d" % user, "pass%d" % user)
        yield perspective.callRemote("foo", number)
        number += 1
    try:
        yield login(ports[2], "user1", "pass1")
    except pb.RemoteError as error:
        say(text(error.remoteType))


@defer.inlineCallbacks
def anon(port):
    made = connect(port)
    nobody = yield made.login(credentials.Anonymous())
    somebody = yield made.login(credentials.UsernamePassword(b"user1", b"pass1"))
    yield nobody.callRemote("foo", 13)
    yield somebody.callRemote("foo", 13)


class DefinedError(pb.Error):
    pass


class SimplePerspective(pb.Avatar):
    def __init__(self, name):
        self.name = name

    def perspective_echo(self, text):
        say("echoing", text)
        return text

    def perspective_error(self):
        raise DefinedError("exception!")

    def logout(self):
        say(self.name, "logged out")


# Where the example's own class is: the type of an error is its class's name.
DefinedError.__module__ = "pbecho"


@defer.inlineCallbacks
def pbecho(port):
    perspective = yield login(port, "guest", "guest")
    say("message received", (yield perspective.callRemote("echo", "hello world")))
    yield perspective.callRemote("error").addErrback(
        lambda failure: say("error received", failure.trap(DefinedError).__name__))
    # Gives the perspective back, which logs out.
    del perspective
    gc.collect()


class Bench(pb.Avatar):
    def __init__(self, name):
        pass

    def perspective_simple(self):
        return None

    def perspective_complexTypes(self):
        return ["a", 1, 1, 1.0, [], ()]


@defer.inlineCallbacks
def pbbench(port):
    perspective = yield login(port, "benchmark", "benchmark")
    right = 0
    for _ in range(100):
        simple, types = yield defer.gatherResults(
            [perspective.callRemote(b"simple"), perspective.callRemote(b"complexTypes")])
        right += simple is None and repr(types) == "['a', 1, 1, 1.0, [], ()]"
    say("right answers", right)


class User(pb.Avatar):
    def __init__(self, name, groups):
        self.name = name
        self.groups = groups

    def attached(self, mind):
        self.remote = mind

    def logout(self):
        self.remote = None
        for group in self.groups.values():
            if self in group.users:
                group.users.remove(self)

    def perspective_joinGroup(self, groupname, allowMattress=True):
        group = self.groups.setdefault(groupname, Group(groupname, allowMattress))
        group.users.append(self)
        return group

    def send(self, message):
        return self.remote.callRemote("print", message)


class Group(pb.Viewable):
    def __init__(self, groupname, allowMattress):
        self.name = groupname
        self.allowMattress = allowMattress
        self.users = []

    def view_send(self, from_user, message):
        if not self.allowMattress and "mattress" in message:
            raise ValueError("Don't say that word")
        # One after the other, so that what they hear has an order.
        d = defer.succeed(None)
        for user in self.users:
            d.addCallback(lambda _, user=user: user.send("<%s> says: %s" % (from_user.name, message)))
        return d.addCallback(lambda _: None)


def chatting():
    groups = {}
    return [factory(lambda name: User(name, groups), alice="1234", bob="secret", carol="fido")]


class Client(pb.Referenceable):
    def __init__(self, name):
        self.name = name

    def remote_print(self, message):
        say(self.name, "hears", message)


@defer.inlineCallbacks
def chat(port):
    alice = yield login(port, "alice", "1234", Client("alice"))
    bob = yield login(port, "bob", "secret", Client("bob"))
    group = yield alice.callRemote("joinGroup", "#NeedAFourth", allowMattress=False)
    same = yield bob.callRemote("joinGroup", "#NeedAFourth")
    yield group.callRemote("send", "You can call me Al.")
    yield same.callRemote("send", "Hello.")
    try:
        yield same.callRemote("send", "a mattress")
    except pb.RemoteError as error:
        say(text(error.remoteType), str(error))


if __name__ == "__main__":
    main(
        {
            "pb5": perspectives(user1="pass1"),
            "pb6": perspectives(user1="pass1", user2="pass2"),
            "pb7": services,
            "anon": perspectives(anonymous=True, user1="pass1", user2="pass2"),
            "pbecho": lambda: [factory(SimplePerspective, guest="guest")],
            "pbbench": lambda: [factory(Bench, benchmark="benchmark")],
            "chat": chatting,
        },
        {"pb5": pb5, "pb6": pb6, "pb7": pb7, "anon": anon, "pbecho": pbecho, "pbbench": pbbench, "chat": chat},
    )
