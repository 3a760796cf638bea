# SPDX-License-Identifier: MIT
"""A machine with Postfix, Dovecot and MariaDB as Debian's packages set them up, and with
MUM's tables in the database: the state in which README.md and the manuals begin.
"""

from . import mumctl, mumd
from .dovecot_language import dovecot_language
from .lab import TOP, wait_until
from .machine import Machine
from .mum_dovecot import MODULES, SETTINGS_MODULES, module_path

DEBIAN_DEFAULTS = """
rm -rf /etc/mum /usr/local/etc/mum /etc/postfix/main.cf* /etc/postfix/master.cf* /etc/postfix/sql
rm -rf /etc/dovecot/local.conf /var/lib/postfix/* /var/lib/mysql /srv/mail /root/.my.cnf
for user in mum vmail; do
    userdel $user 2>/dev/null || true
    groupdel $user 2>/dev/null || true
done

mkdir -p /etc/ssl/private
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \\
    -subj /CN=mail.example.net -out /etc/ssl/certs/ssl-cert-snakeoil.pem \\
    -keyout /etc/ssl/private/ssl-cert-snakeoil.key 2>/dev/null
cat /usr/share/postfix/main.cf.debian /usr/share/postfix/main.cf.tls >/etc/postfix/main.cf
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
cp -n /usr/share/postfix/dynamicmaps.cf /etc/postfix/ || true
echo mail.example.net >/etc/mailname
postconf -e myhostname=mail.example.net mydestination=localhost recipient_delimiter=+ \\
    myorigin=/etc/mailname \\
    'smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination'

cp -r /usr/share/dovecot/dovecot.conf /usr/share/dovecot/conf.d /etc/dovecot/
mkdir -p /etc/dovecot/private
cp --remove-destination /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/dovecot/private/dovecot.pem
cp --remove-destination /etc/ssl/private/ssl-cert-snakeoil.key /etc/dovecot/private/dovecot.key
"""

# There is no syslogd.
LOG_FILES = """
postconf -e maillog_file=/var/log/mail.log
echo 'log_path = /var/log/dovecot.log' >/etc/dovecot/conf.d/99-machine.conf
"""

MARIADB = """
install -d -o mysql -g mysql /run/mysqld /var/lib/mysql
[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql \\
    --auth-root-authentication-method=socket --skip-test-db >/dev/null
setsid mariadbd --user=mysql </dev/null >>/var/log/mariadbd.log 2>&1 &
"""

# Starts them as the service files do, but without systemd.
START = """
/usr/lib/postfix/configure-instance.sh - || true
postfix start
dovecot
"""


def start_servers(machine):
    """MariaDB with the example's rows, Postfix and Dovecot."""
    machine.run(LOG_FILES)
    machine.run(MARIADB)
    wait_until(lambda: machine.run("mariadb-admin ping", check=False).returncode == 0,
               "mariadbd", 60)
    machine.run("mariadb", answers=(TOP / "tests/lab/schema-mariadb.sql").read_text())
    machine.run("mariadb mum", answers=(TOP / "tests/lab/example.sql").read_text())
    machine.run(START)


def install_built(machine):
    """Does what "make install" does, and installs the packages' examples."""
    machine.run(f"install {mumd.binary()} {mumctl.binary()} /usr/local/sbin/\n"
                f"install -m 644 {module_path()} {MODULES}/libauthdb_mum.so\n"
                "ln -s /etc/mum /usr/local/etc/mum\n")
    settings = dovecot_language().settings_module
    if settings:
        machine.run(f"install -D -m 644 -t {SETTINGS_MODULES} {module_path().with_name(settings)}")


def mail_server(lab):
    """On a copy of this machine, with what was built here."""
    built = (mumd.binary(), mumctl.binary(), module_path())
    machine = Machine(lab, seen={TOP, *(path.parent for path in built)}).start()
    machine.run(DEBIAN_DEFAULTS)
    install_built(machine)
    start_servers(machine)
    return machine
