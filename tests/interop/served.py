"""The objects that the Python peer serves."""

import gc
import json

from foolscap.api import Any, DictOf, ListOf, Referenceable, RemoteInterface, Violation
from foolscap.ipb import IRemoteReference
from foolscap.remoteinterface import RemoteMethodSchema
from twisted.internet import defer, reactor, task
from twisted.python import reflect
from twisted.python.failure import Failure
from zope.interface import implementer

import rules
from described import CLASSES, Described


class Point(Described):
    """Crosses by value in both directions."""

    copytype = "tests.Point"

    def __init__(self, x=0, y=0):
        self.x, self.y = x, y


CLASSES[Point.copytype] = Point


class PeerError(Exception):
    """An exception of this program's own."""


class DerivedPeerError(PeerError):
    """One that derives from it."""


class RIStrict(RemoteInterface):
    """The typed face of `Strict`."""

    __remote_name__ = "RIStrict.tests"

    def add(a=int, b=int):
        return int

    def length(data=bytes):
        return int

    def join(words=ListOf(str), table=DictOf(str, int)):
        return str

    def wrong():
        return int

    anything = RemoteMethodSchema(_response=Any(), value=Any())


@implementer(RIStrict)
class Strict(Referenceable):
    def remote_add(self, a, b):
        return a + b

    def remote_length(self, data):
        return len(data)

    def remote_join(self, words, table):
        return " ".join(words + ["%s=%d" % pair for pair in sorted(table.items())])

    def remote_wrong(self):
        return "not an int"

    def remote_anything(self, value):
        return value


class Item(Referenceable):
    """An object with nothing but a number."""

    alive = 0

    def __init__(self, number):
        self.number = number
        Item.alive += 1

    def __del__(self):
        Item.alive -= 1

    def remote_number(self):
        return self.number


def find_reference(value):
    if IRemoteReference.providedBy(value):
        return value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return None
    for member in value:
        found = find_reference(member)
        if found is not None:
            return found


class Root(Referenceable):
    """What the peer is asked for first. `peer` gives it descriptions and events."""

    def __init__(self, peer):
        self.peer = peer
        self.calls = []
        self.held = None
        self.kept = Item(-1)
        self.strict = Strict()
        self.table = rules.Table()
        self.no_observer = rules.NoObserver()
        self.helper = None
        self.waiting = {}

    # Values

    def remote_echo(self, value):
        return value

    def remote_describe(self, value):
        """The JSON description of what Python received."""
        return json.dumps(self.peer.describe(value))

    def remote_build(self, text):
        """The value that a JSON description stands for."""
        return self.peer.build(json.loads(text))

    def remote_add(self, a, b):
        return a + b

    def remote_nothing(self):
        return None

    def remote_length(self, data):
        return len(data)

    def remote_make(self, count):
        return b"m" * count

    def remote_many(self, count):
        return list(range(count))

    def remote_keywords(self, first=None, second=2, **others):
        return {"first": first, "second": second, "others": others}

    def remote_arguments(self, *args, **kwargs):
        return (args, kwargs)

    # Order and time

    def remote_record(self, mark):
        self.calls.append(mark)

    def remote_recorded(self):
        calls, self.calls = self.calls, []
        return calls

    def remote_slow(self, seconds, result=None):
        return task.deferLater(reactor, seconds, lambda: result)

    def remote_wait(self, name):
        """Answers when somebody calls `release` with the same name."""
        return self.waiting.setdefault(name, defer.Deferred())

    def remote_release(self, name, result=None):
        self.waiting.pop(name).callback(result)

    # Failures

    def remote_fail(self, kind="ValueError", text="you asked me to fail"):
        if kind == "ValueError":
            raise ValueError(text)
        if kind == "KeyError":
            raise KeyError(text)
        if kind == "custom":
            raise PeerError(text)
        if kind == "derived":
            raise DerivedPeerError(text)
        if kind == "violation":
            raise Violation(text)
        if kind == "later":
            return task.deferLater(reactor, 0.01, self.remote_fail, "ValueError", text)
        raise TypeError("unknown kind of failure")

    def remote_give_failure(self, text):
        """A failure as a value."""
        return [Failure(DerivedPeerError(text))]

    def remote_send_failure(self, ref, method, text):
        return ref.callRemote(method, Failure(DerivedPeerError(text)))

    def remote_describe_failure(self, failure):
        return [
            type(failure).__name__, reflect.qual(failure.type), failure.value, failure.parents, failure.getTraceback()
        ]

    def remote_check(self, ref, method, names, *args):
        """The first of `names` that the failure of a call is."""
        return ref.callRemote(method, *args).addCallbacks(lambda _: None, lambda f: f.check(*names))

    def remote_trap(self, ref, method, *args):
        """Whether the failure of a call can be trapped as a LookupError."""
        return ref.callRemote(method, *args).addErrback(lambda f: f.trap(LookupError) is LookupError)

    def remote_größe(self):
        return "ü"

    def remote_(self):
        return "no name"

    def remote_unsendable(self):
        return object()

    def remote_unsendable_inside(self):
        return [1, {"a": object()}]

    def remote_send_unsendable(self, ref):
        """Fails here, before anything is sent."""
        return ref.callRemote("echo", [1, {"a": object()}])

    # References

    def remote_hold(self, ref):
        self.held = ref

    def remote_held(self):
        return self.held

    def remote_drop(self):
        self.held = None
        gc.collect()

    def remote_call_back(self, method, *args, **kwargs):
        return self.held.callRemote(method, *args, **kwargs)

    def remote_call(self, ref, method, *args, **kwargs):
        return ref.callRemote(method, *args, **kwargs)

    def remote_use(self, container):
        """The number of the first reference in a container, which has been given away."""
        return find_reference(container).callRemote("number")

    def remote_call_many(self, ref, method, count):
        """The results of `count` calls, made at once; each takes its number."""
        return defer.gatherResults([ref.callRemote(method, i) for i in range(count)])

    def remote_call_only_many(self, ref, method, count):
        for i in range(count):
            ref.callRemoteOnly(method, i)

    def remote_hold_many(self, ref, count):
        """Holds `count` objects of the caller, which gives them by `give_many`."""
        return ref.callRemote("give_many", count).addCallback(self.remote_hold)

    def remote_call_only(self, ref, method, *args):
        ref.callRemoteOnly(method, *args)

    def remote_call_function(self, function, **kwargs):
        return function.callRemote(**kwargs)

    def remote_function(self):
        return self.remote_add

    def remote_is_held(self, ref):
        return ref is self.held

    def remote_same(self, one, other):
        return one is other

    def remote_give(self):
        return Item(0)

    def remote_give_many(self, count):
        return [Item(i) for i in range(count)]

    def remote_give_kept(self):
        return self.kept

    def remote_give_strict(self):
        return self.strict

    def remote_give_table(self):
        return self.table

    def remote_table_calls(self):
        """What the methods of the table were given since this was asked last."""
        calls, self.table.calls = self.table.calls, []
        return calls

    def remote_give_helper(self):
        """An object of Foolscap's own tests, with all kinds of rules."""
        from foolscap.test.common import HelperTarget  # not needed by most, and slow
        self.helper = HelperTarget()
        return self.helper

    def remote_helper_given(self):
        """What its `megaschema` was given."""
        return [self.helper.obj1, self.helper.obj2]

    def remote_give_observer(self):
        return self.table.observer

    def remote_give_no_observer(self):
        return self.no_observer

    def remote_observed(self):
        return self.table.observer.events

    def remote_is_kept(self, ref):
        return ref is self.kept

    def remote_is_root(self, ref):
        return ref is self

    def remote_furl_of(self, ref):
        return ref.getSturdyRef().getURL()

    def remote_alive(self):
        """How many Items there are, besides the kept one."""
        gc.collect()
        return Item.alive - 1

    def remote_watch(self, ref, name):
        """Prints an event when the connection behind `ref` ends."""
        ref.notifyOnDisconnect(self.peer.event, "disconnected", name=name)

    # Copyables

    def remote_point(self, x, y):
        return Point(x, y)

    def remote_flip(self, point):
        assert isinstance(point, Point), type(point)
        return Point(point.y, point.x)
