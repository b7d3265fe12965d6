"""Objects that call each other: the parts of pb1, pb2, pb3, pb4, pbsimple, pbquote, finger and pbinterop."""

from stage import connect, main, say, text
from twisted.internet import defer
from twisted.spread import flavors, pb


class Three(pb.Referenceable):
    def remote_three(self, arg):
        say("three was given", arg)


class One(pb.Root):
    def remote_getTwo(self):
        return Three()


@defer.inlineCallbacks
def pb1(port):
    one = yield connect(port).getRootObject()
    two = yield one.callRemote("getTwo")
    yield two.callRemote("three", 12)
    say("told it")


class Checker(pb.Root):
    def __init__(self):
        self.two = Three()

    def remote_getTwo(self):
        return self.two

    def remote_checkTwo(self, new):
        say("the twos are the same", new is self.two)


@defer.inlineCallbacks
def pb2(port):
    one = yield connect(port).getRootObject()
    two = yield one.callRemote("getTwo")
    again = yield one.callRemote("getTwo")
    say("got the same", two == again)
    yield one.callRemote("checkTwo", two)


class Printer(pb.Referenceable):
    def remote_print(self, arg):
        say("print was called with", arg)


class Taker(pb.Root):
    def remote_takeTwo(self, two):
        say("received a two")
        two.callRemote("print", 12)


@defer.inlineCallbacks
def pb3(port):
    two = Printer()
    one = yield connect(port).getRootObject()
    yield one.callRemote("takeTwo", two)


class Foo(pb.Root):
    def __init__(self, name):
        self.name = name

    def remote_foo(self, arg):
        say(self.name, "foo", arg)


class Named(Foo):
    """Its connections have more objects than the root, under names."""

    def rootObject(self, broker):
        broker.setNameForLocal("two", Foo("two"))
        broker.setNameForLocal("three", Foo("three"))
        return self


@defer.inlineCallbacks
def pb4(port):
    root = yield connect(port).getRootObject()
    yield root.callRemote("foo", "A")
    yield root.broker.remoteForName("two").callRemote("foo", "B")
    yield root.broker.remoteForName("three").callRemote("foo", "C")
    try:
        yield root.broker.remoteForName("four").callRemote("foo", "D")
    except pb.RemoteError as error:
        say(text(error.remoteType), str(error))


class Echoer(pb.Root):
    def remote_echo(self, st):
        say("echoing", st)
        return st


@defer.inlineCallbacks
def pbsimple(port):
    root = yield connect(port).getRootObject()
    say("server echoed", (yield root.callRemote("echo", "hello network")))


class QuoteReader(pb.Root):
    def remote_nextQuote(self):
        return "An apple a day keeps the doctor away"


@defer.inlineCallbacks
def pbquote(port):
    root = yield connect(port).getRootObject()
    say((yield root.callRemote("nextQuote")))


class Finger(pb.Root):
    users = {b"moshez": b"Happy and well"}

    def remote_getUser(self, username):
        name = username if isinstance(username, bytes) else username.encode()
        return defer.succeed(self.users.get(name, b"No such user"))

    def remote_getUsers(self):
        return defer.succeed(list(self.users))


@defer.inlineCallbacks
def finger(port):
    root = yield connect(port).getRootObject()
    say("server sent", text((yield root.callRemote("getUser", "moshez"))))
    say("server sent", text((yield root.callRemote("getUser", b"nobody"))))
    users = yield root.callRemote("getUsers")
    say("server sent", [text(user) for user in users])


class Interop(pb.Root):
    def __init__(self):
        self.o = pb.Referenceable()

    def remote_int(self):
        return 1

    def remote_string(self):
        return "string"

    def remote_unicode(self):
        return "string"

    def remote_float(self):
        return 1.5

    def remote_list(self):
        return [1, 2, 3]

    def remote_recursive(self):
        everything = []
        everything.append(everything)
        return everything

    def remote_dict(self):
        return {1: 2}

    def remote_reference(self):
        return self.o

    def remote_local(self, obj):
        def came(result):
            if result != "hello, world":
                raise ValueError(result)
        return obj.callRemote("hello").addCallback(came)

    def remote_receive(self, obj):
        if obj != [1, 1.5, "hi", "hi", {1: 2}]:
            raise ValueError(repr(obj))

    def remote_self(self, obj):
        if obj is not self:
            raise ValueError(repr(obj))

    def remote_copy(self, x):
        copy = flavors.Copyable()
        copy.x = x
        return copy


class Hello(pb.Referenceable):
    def remote_hello(self):
        return "hello, world"


class CopyOfAny(pb.RemoteCopy):
    pass


pb.setUnjellyableForClass("twisted.spread.flavors.Copyable", CopyOfAny)


@defer.inlineCallbacks
def pbinterop(port):
    root = yield connect(port).getRootObject()
    for name in ["int", "string", "unicode", "float", "list"]:
        say(name, (yield root.callRemote(name)))
    recursive = yield root.callRemote("recursive")
    say("recursive", len(recursive), recursive[0] is recursive)
    numbers = yield root.callRemote("dict")
    say("dict", list(numbers.items()))
    first = yield root.callRemote("reference")
    second = yield root.callRemote("reference")
    say("reference", first == second)
    yield root.callRemote("local", Hello())
    yield root.callRemote("receive", [1, 1.5, "hi", "hi", {1: 2}])
    yield root.callRemote("self", root)
    copy = yield root.callRemote("copy", ["x", 1])
    say("copy", copy.x)


def serving(root):
    return lambda: [pb.PBServerFactory(root())]


if __name__ == "__main__":
    main(
        {
            "pb1": serving(One),
            "pb2": serving(Checker),
            "pb3": serving(Taker),
            "pb4": serving(lambda: Named("root")),
            "pbsimple": serving(Echoer),
            "pbquote": serving(QuoteReader),
            "finger": serving(Finger),
            "pbinterop": serving(Interop),
        },
        {
            "pb1": pb1,
            "pb2": pb2,
            "pb3": pb3,
            "pb4": pb4,
            "pbsimple": pbsimple,
            "pbquote": pbquote,
            "finger": finger,
            "pbinterop": pbinterop,
        },
    )
