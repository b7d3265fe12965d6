"""Objects with RemoteInterfaces: what schemas are tested with."""

from foolscap.api import Referenceable, RemoteInterface
from foolscap.copyable import AttributeDictConstraint
from foolscap.remoteinterface import UnconstrainedMethod
from foolscap.schema import (Any, BooleanConstraint, ByteStringConstraint, ChoiceOf, DictOf, IntegerConstraint,
                             ListOf, NumberConstraint, Optional, SetOf, TupleOf, UnicodeConstraint)
from zope.interface import implementer

from described import CLASSES, Described


class RIObserver(RemoteInterface):
    __remote_name__ = "RIObserver.tests"

    def notify(event=str): return None


class RITable(RemoteInterface):
    """One method for each kind of rule; each gives its argument back."""
    __remote_name__ = "RITable.tests"

    def integer(a=int): return int

    def word(a=IntegerConstraint(maxBytes=-1)): return int

    def long(a=IntegerConstraint(maxBytes=8)): return IntegerConstraint(maxBytes=8)

    def number(a=float): return float

    def small(a=NumberConstraint(maxBytes=8)): return float

    def data(a=ByteStringConstraint(maxLength=10, minLength=2)): return bytes

    def text(a=UnicodeConstraint(maxLength=5, minLength=1, regexp="^[a-z]*$")): return str

    def flag(a=bool): return bool

    def truth(a=BooleanConstraint(True)): return bool

    def nothing(a=None): return None

    def items(a=ListOf(int, maxLength=3, minLength=1)): return ListOf(int)

    def nested(a=ListOf(ListOf(bytes, maxLength=2), maxLength=2)): return Any()

    def pair(a=TupleOf(int, str)): return TupleOf(int, str)

    def table(a=DictOf(str, int, maxKeys=2)): return DictOf(str, int)

    def group(a=SetOf(int, maxLength=3)): return Any()

    def either(a=ChoiceOf(int, bytes)): return Any()

    def anything(a=Any()): return Any()

    def several(a=int, b=str, c=Optional(int, 5)): return Any()

    def observe(observer=RIObserver, event=str): return RIObserver

    def any_object(a=Referenceable): return Any()

    def wrong(kind=str): return int

    free = UnconstrainedMethod()


@implementer(RIObserver)
class Observer(Referenceable):
    def __init__(self):
        self.events = []

    def remote_notify(self, event):
        self.events.append(event)


class NoObserver(Referenceable):
    """An object without an interface."""


@implementer(RITable)
class Table(Referenceable):
    def __init__(self):
        self.calls = []
        self.observer = Observer()

    def give_back(self, a):
        self.calls.append(a)
        return a

    remote_integer = remote_word = remote_long = remote_number = remote_small = remote_data = remote_text = give_back
    remote_flag = remote_truth = remote_nothing = remote_items = remote_nested = remote_pair = give_back
    remote_table = remote_group = remote_either = remote_anything = remote_any_object = give_back

    def remote_several(self, a, b, c=None):
        return (a, b, c)

    def remote_observe(self, observer, event):
        return observer.callRemote("notify", event).addCallback(lambda _: observer)

    def remote_wrong(self, kind):
        return {"text": "no int", "none": None, "right": 1}[kind]

    def remote_free(self, *args, **kwargs):
        return (args, kwargs)


class Ruled(Described):
    """Crosses by value, with rules for its attributes when it arrives."""

    copytype = "tests.Ruled"
    stateSchema = AttributeDictConstraint(("count", int), ("data", ByteStringConstraint(10)))


CLASSES[Ruled.copytype] = Ruled
