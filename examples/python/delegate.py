"""A Python Tub that is given capabilities, and passes on what it was given. Prints its FURL, and ends when its input does."""

from foolscap.api import Referenceable

from serve import serve


class Agent(Referenceable):
    """Knows nothing of membranes: a reference is a reference."""

    archive = None

    def remote_give(self, archive):
        self.archive = archive

    def remote_read(self, title):
        d = self.archive.callRemote("open", title)
        return d.addCallback(lambda document: document.callRemote("text"))

    def remote_delegate(self, somebody):
        """Passes on what it has, to whomever it is told."""
        return somebody.callRemote("receive", self.archive)


serve(Agent())
