# SPDX-License-Identifier: MIT
"""mumctl check calls a TLS policy wrong if, and only if, smtp(8) refuses it: each policy is
in MUM's table, and a real Postfix delivers to each next hop.
"""

import re

import pytest

from dovecot_stores import SqliteStore
from lab import LabError, MailRecorder, Mumctl, Mumd, Postfix, free_port, wait_until
from lab.lab import run
from lab.mariadb import PrivateCa

VERSION = tuple(map(int, run("postconf", "-dh", "mail_version").stdout.split(".")[:2]))
SHA256 = ":".join(["AB"] * 32)

# policy, params, is it wrong?
POLICIES = [
    ("none", None, False),
    ("none", "whatever it=is", False),
    ("may", None, False),
    ("may", "ciphers=high", False),
    ("may", "protocols=!SSLv2,!SSLv3", True),       # the comma ends the attribute
    ("may", "protocols=!SSLv2:!SSLv3", False),
    ("may", "protocols=TLSv1.2 protocols=TLSv1.3", True),
    ("may", "ciphers=", True),
    ("may", "ciphers=high ciphers=medium", True),
    ("may", "ciphers=hihg", True),
    ("encrypt", "ciphers=HIGH", False),
    ("encrypt", "ciphers=medium", False),
    ("encrypt", "ciphers=low", False),
    ("encrypt", "ciphers=export", False),
    ("encrypt", "ciphers=invalid", True),
    ("encrypt", "ciphers=high:medium", True),
    ("may", "protocols=TLSv9", True),
    ("encrypt", "protocols=TLSv9", True),
    ("encrypt", "protocols=!TLSv9", True),
    ("encrypt", "protocols=!", True),
    ("encrypt", "protocols=tlsv1.2:tlsV1.3", False),
    ("encrypt", "protocols=::TLSv1.2:", False),
    ("encrypt", "protocols=!SSLv2:!sslv3:!TLSv1:!TLSv1.1", False),
    ("encrypt", "protocols=>=TLSv1.2", False),
    ("encrypt", "protocols=>=tlsv1:<=TLSv1.3", False),
    ("encrypt", "protocols=>=none", False),
    ("encrypt", "protocols=>=", False),
    ("encrypt", "protocols=>=0303", False),
    ("encrypt", "protocols=>=0x303:<=304", False),
    ("encrypt", "protocols=>=TLSv9", True),
    ("encrypt", "protocols=>=SSLv2", True),
    ("encrypt", "protocols=<=7fffffffff", True),
    ("encrypt", "protocols=>TLSv1.2", True),
    ("encrypt", "protocols==TLSv1.2", True),
    ("may", "exclude=aNULL:MD5", False),
    ("may", "exclude=nosuch", False),
    ("may", "exclude=!aNULL", True),
    ("may", "exclude=MD5:@STRENGTH", True),
    ("may", "exclude=aNULL exclude=MD5", True),
    ("may", "CIPHERS=high", False),
    ("may", "match=nexthop", True),
    ("may", "connection_reuse=yes", False),
    ("may", "connection_reuse=maybe", True),
    ("encrypt", None, False),
    ("encrypt", " , ,", False),
    ("encrypt", "protocols=", False),
    ("encrypt", "nonsense", True),
    ("encrypt", "nonsense=1", True),
    ("encrypt", "=1", True),
    ("encrypt", "match=nexthop", True),
    ("encrypt", "tafile=/etc/hosts", True),
    ("encrypt", "servername=mx.test", False),
    ("encrypt", "servername=mx_1.test", False),
    ("encrypt", "servername=", True),
    ("encrypt", "servername=mx..test", True),
    ("encrypt", "servername=mx.test.", True),
    ("encrypt", "servername=-mx.test", True),
    ("encrypt", "servername=mx-.test", True),
    ("encrypt", "servername=mx.test servername=mx.test", True),
    ("encrypt", "servername=127.0.0.1", True),
    ("encrypt", "servername=" + "l" * 64 + ".test", True),
    ("encrypt", "servername=" + "l" * 63 + ".test", False),
    ("fingerprint", None, True),
    ("fingerprint", "match=" + SHA256, False),
    ("fingerprint", "match=" + SHA256 + "|" + SHA256, False),
    ("fingerprint", "match=nonsense|" + SHA256.replace(":", ""), False),
    ("fingerprint", "match=" + SHA256.lower() + " match=nonsense", False),
    ("fingerprint", "match=nonsense", True),
    ("fingerprint", "match=ABC", True),
    ("fingerprint", "match=AB:CD", False),
    ("fingerprint", "match=", True),
    ("verify", None, False),
    ("verify", "match=", True),
    ("verify", "match=nexthop:.dot.test match=hostname", False),
    ("secure", "match=mx.test ciphers=high", False),
    ("secure", "match", True),
    ("secure", "tafile=", True),
    ("may", "enable_rpk=yes", VERSION < (3, 9)),
    ("may", "enable_rpk=perhaps", True),
    ("may", "{ ciphers = high }", VERSION < (3, 10)),
    ("may", "{ protocols = !SSLv2, !SSLv3 }", VERSION < (3, 10)),
    ("may", "{ ciphers = high }x", True),
    ("may", "{ ciphers = high", True),
    ("may", "policy_type=sts", VERSION < (3, 10)),
    ("may", "policy_type=sts policy_domain=a.test policy_ttl=86400 policy_string=a "
     "policy_string=b mx_host_pattern=*.a.test policy_failure=validation-failure",
     VERSION < (3, 10)),
    ("may", "policy_type=tlsa", True),
    ("may", "policy_ttl=86400", True),
    ("may", "policy_type=sts policy_ttl=1d", True),
    ("may", "policy_type=sts policy_failure=none", True),
]


@pytest.fixture(scope="module")
def lines(lab):
    """(domain: line of the mail log, domain: finding of mumctl)"""
    domains = [f"case{number}.test" for number in range(len(POLICIES))]
    store = SqliteStore(lab, "tls")
    for domain, (policy, params, _) in zip(domains, POLICIES):
        store.insert("tls_policies", domain=domain, policy=policy, params=params, active=1)
    certificate = PrivateCa(lab.path / "tls-ca").issue("mx", "DNS:mx.test")
    outside = lab.own(MailRecorder(("127.0.0.1", free_port()), certificate))
    hops = " ".join(f"{{{domain}=smtp:{domain}}}" for domain in domains)
    postfix = Postfix(lab, outside.address, name="pf-tls",
                      settings=[f"transport_maps = inline:{{ {hops} }}"])
    mumd = Mumd(lab, {"database": store.settings}, name="mumd-tls",
                sockets=postfix.sockets).start()
    postfix.add_hosts(*domains)
    postfix.start()
    run("sendmail", "-C", postfix.config, "-f", "admin@foreign.test",
        *[f"x@{domain}" for domain in domains], input="Subject: x\n\nx\n")

    def outcome(domain):
        found = [line for line in postfix.log().splitlines()
                 if f"to=<x@{domain}>" in line and "status=" in line]
        return found[-1].partition("status=")[2] if found else None
    try:
        wait_until(lambda: all(map(outcome, domains)), "a result for each domain", 30)
    except LabError as error:
        raise LabError(f"{error}\n{postfix.log()}") from None
    findings = {one["where"]: one for one in Mumctl(mumd.config).findings()
                if one["code"] == "tls-params"}
    return {domain: outcome(domain) for domain in domains}, findings


@pytest.mark.parametrize("number", range(len(POLICIES)),
                         ids=[f"{policy} {params}"[:40] for policy, params, _ in POLICIES])
def test_check_and_postfix_agree(lines, number):
    results, findings = lines
    domain = f"case{number}.test"
    _, _, fault = POLICIES[number]
    refused = re.match(r"deferred \((client TLS configuration problem|"
                       r"Cannot start TLS: handshake failure)\)", results[domain])
    accepted = re.match(r"sent|deferred \(Server certificate not (trusted|verified)",
                        results[domain])
    assert (refused is not None, accepted is not None) == (fault, not fault), results[domain]
    assert (f"tls_policies.domain=<{domain}>" in findings) == fault, (
        results[domain], findings.get(f"tls_policies.domain=<{domain}>"))
