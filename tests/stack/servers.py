# SPDX-License-Identifier: MIT
"""One store, mumd before it, Postfix before that, Dovecot for its logins."""

from lab import Dovecot, MailRecorder, Mumd, Postfix, sample

# Postfix reaches hosts below .enforced.test by name, so it asks for the TLS policies of
# their parent domains.
TRANSPORT = "transport_maps = inline:{ %s }" % " ".join(
    "{%s=smtp:%s}" % (host, host)
    for host in ("sub.enforced.test", "deep.sub.enforced.test", "plain.enforced.test"))


class Stack:
    """database and sections: what Mumd takes as settings. outside: everybody else's server."""

    def __init__(self, lab, outside, name, database, **sections):
        self._lab = lab
        self._others = {}
        self.name = name
        self.database = database
        self.outside = outside
        self.postfix = Postfix(lab, outside.address, name=f"pf-{name}", settings=[TRANSPORT])
        self.mumd = Mumd(lab, {"database": database, **sections}, name=f"mumd-{name}",
                         sockets=self.postfix.sockets).start()
        self.inside = lab.own(MailRecorder(self.postfix.queue / "private/dovecot-lmtp"))
        logins = [sample.address_of(row[0]) for row in sample.MAILBOXES]
        Dovecot(lab, self.postfix, logins, name=f"dc-{name}").start()
        self.postfix.start()

    def mumd_with(self, **sections):
        """Another mumd over the same data; equal settings give the same mumd."""
        key = repr(sorted(sections.items()))
        if key not in self._others:
            name = f"mumd-{self.name}-{len(self._others)}"
            self._others[key] = Mumd(self._lab, {"database": self.database, **sections},
                                     name=name).start()
        return self._others[key]
