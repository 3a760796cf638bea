# SPDX-License-Identifier: MIT
"""Runs in a Machine what dpkg runs of our packages: the maintainer scripts, as debhelper
completes them there.
"""

from .lab import TOP

SOURCE = "/root/package"
SCRIPTS = "/root/scripts"
UNITS = "/lib/systemd/system"

# Where dh_install would put what the other helpers look for.
STAGE = f"""
rm -rf {SOURCE}
mkdir {SOURCE}
cp -r {TOP}/debian {TOP}/conf-examples {SOURCE}
cd {SOURCE}
sed 's/ usr.share.man//' debian/mumd.install | grep conf-examples | while read -r file to; do
    install -D -m 644 -t debian/mumd/$to $file
done
mkdir -p debian/dovecot-auth-mum
"""

COMPLETE = f"""
dh_installsysusers
%s
dh_installdeb
mkdir -p {SCRIPTS}
for package in mumd dovecot-auth-mum; do
    for script in preinst postinst prerm postrm; do
        cp debian/$package/DEBIAN/$script {SCRIPTS}/%s.$package.$script 2>/dev/null || :
    done
done
"""

# mum-mail 0.1.0 as first released.
FIRST = ("sed -i '/^# The daemon alone/,$d' debian/mumd.postinst; rm debian/*.postrm",
         "dh_installsystemd --no-enable")
NOW = (":", "debian/rules override_dh_installsystemd")


def make_scripts(machine):
    """Makes the scripts of "now" and of "0.1.0", and the package's files, where dpkg has them."""
    for name, (change, units) in (("0.1.0", FIRST), ("now", NOW)):
        machine.run(STAGE + change + COMPLETE % (units, name))
    machine.run(f"cp -r {SOURCE}/debian/mumd/usr/. /usr\n"
                f"[ ! -d {SOURCE}/debian/mumd/lib ] || cp -r {SOURCE}/debian/mumd/lib/. /lib\n"
                "systemd-sysusers mum.conf")


def script(machine, version, package, name, arguments):
    """Runs a script, if the package has it, and returns its output."""
    path = f"{SCRIPTS}/{version}.{package}.{name}"
    return machine.run(f"[ ! -e {path} ] || {path} {arguments}").stdout


def upgrade(machine, old, package="mumd"):
    """Runs what dpkg runs for an upgrade from the version old (Debian Policy, 6.6)."""
    output = script(machine, old, package, "prerm", "upgrade 9")
    output += script(machine, "now", package, "preinst", "upgrade 0.1.0")
    output += script(machine, old, package, "postrm", "upgrade 9")
    return output + script(machine, "now", package, "postinst", "configure 0.1.0")


def purge(machine, package):
    script(machine, "now", package, "prerm", "remove")
    script(machine, "now", package, "postrm", "remove")
    script(machine, "now", package, "postrm", "purge")
