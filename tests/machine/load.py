# SPDX-License-Identifier: MIT
"""The checks under load: mumd is restarted, started by its sockets, killed and reloaded, while
clients ask it without end; and mail that flows.
"""

import contextlib
import json
import shlex
import threading

from lab import LabError, wait_until
from lab.traffic import verdicts

from prepare import CHECKOUT
from report import count, expect
from service import ANNA, ASKER, BEN, CONF, INFO, STRANGER, answers, own_configuration

PROCESS = "systemctl show -p MainPID --value mumd"
STARTED, RELOADED = "^Started mumd", "reload: .*: done$"
TIMES = 50
# often LINE: calls one() so often; each time waits until such a line about mumd is in the journal.
EACH_TIME = f"""
new() {{ journalctl -u mumd --cursor-file /root/cursor --no-pager -o cat; }}
often() {{
    new >/dev/null
    for i in $(seq {TIMES}); do
        one
        until new | grep "$1" >/dev/null; do sleep 0.1; done
    done
}}
"""

# Nothing is lost when mumd is restarted, when the next client starts it through the sockets,
# nor when it is killed: Postfix asks once more.
RESTARTS = f"""{EACH_TIME}
one() {{
    case $((i % 3)) in
    0) systemctl restart mumd ;;
    1) systemctl stop mumd.service ;;
    2) systemctl kill -s KILL mumd ;;
    esac
}}
often '{STARTED}'
"""

RELOADS = f"""{EACH_TIME}
one() {{
    sed -i "s/^    [# ]*ttl = .*/    ttl = $((i % 2 + 1))s/" {CONF}
    systemctl reload mumd
}}
often '{RELOADED}'
"""


@contextlib.contextmanager
def asked(guest, what):
    """A context in which mumd is asked without end, from three seconds before until two after;
    no question may be lost, and none answered wrongly."""
    seen = []
    guest.run("rm -f /root/enough")
    thread = threading.Thread(target=lambda: seen.append(
        guest.run(f"python3 {ASKER} load /root/enough", check=False, timeout=1200)))
    thread.start()
    try:
        guest.run("sleep 3")
        yield
        guest.run("sleep 2")
    finally:
        guest.run("touch /root/enough")
        thread.join()
    output = seen[0].stdout
    if seen[0].returncode != 0:
        raise LabError(f"{what}: the clients failed:\n{output}")
    result = json.loads(output)
    count(answers=result["answered"], lost_or_wrong=len(result["trouble"]))
    expect(what, result["trouble"] == [], "\n".join(result["trouble"][:5]) or
           f"{result['answered']} answered, {result['again']} asked again, none lost or wrong, "
           f"longest wait {result['longest']:.2f} s")


def logged(guest, line):
    """How often such a line about mumd is in the journal since the boot."""
    return int(guest.text(f"journalctl -b -u mumd --no-pager -o cat | grep -c '{line}'"))


def restarts(guest):
    before = logged(guest, STARTED)
    with asked(guest, f"{TIMES} restarts"):
        guest.run(RESTARTS, timeout=900)
    answers(guest)
    done = logged(guest, STARTED) - before
    count(restarts=done)
    expect("each has started it anew", done == TIMES, str(done))
    state = guest.text("systemctl is-active mumd.socket")
    expect("the sockets have stayed", state == "active", state)


def reloads(guest):
    process, before = guest.text(PROCESS), logged(guest, RELOADED)
    with own_configuration(guest):
        with asked(guest, f"{TIMES} reloads, each of another mum.conf"):
            guest.run(RELOADS, timeout=900)
        done = logged(guest, RELOADED) - before
        count(reloads=done)
        expect("each is done", done == TIMES, str(done))
        seen = guest.text(PROCESS)
        expect("by one process", seen == process, seen)


# ---- mail ----

BOXES = {ANNA: ["anna"], BEN: ["ben"], INFO: ["anna", "ben"]}
LINES = {"smtp": [[STRANGER, recipient] for recipient in BOXES]}
TRAFFIC = f"{CHECKOUT}/tests/lab/mail_traffic.py"
LONGEST = 1800


class Mail:
    """A mail each second, from tests/lab/mail_traffic.py in the guest."""

    def __init__(self, guest):
        self._guest = guest
        guest.run(": >/root/traffic; "
                  "systemd-run -q --unit traffic -p StandardOutput=append:/root/traffic "
                  f"-p TimeoutStopSec=120 python3 {TRAFFIC} {LONGEST} {shlex.quote(json.dumps(LINES))}")
        self.flows()

    def tries(self):
        return [json.loads(line) for line in self._guest.text("cat /root/traffic").splitlines()]

    def flows(self):
        """Wait for five more, the last of them accepted."""
        before = len(self.tries())
        wait_until(lambda: len(tries := self.tries()) > before + 5 and tries[-1]["code"] == 250,
                   "mail that is accepted", 90, 0.5)

    def end(self):
        """Ends it; what was accepted must have arrived, once."""
        self._guest.run("systemctl stop traffic", timeout=180)
        tries = self.tries()
        count(mails=len({one["subject"] for one in tries}))
        for verdict in verdicts(self._guest, tries, BOXES):
            expect(*verdict)
