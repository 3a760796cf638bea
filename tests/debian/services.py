# SPDX-License-Identifier: MIT
"""In place of systemd, in a Machine: stops and starts the mail server's programs when
packages ask for it, as systemd would. All units are enabled."""

CALLS = "/root/systemctl.calls"

SYSTEMCTL = f"""#!/bin/sh
echo "$*" >>{CALLS}
action= units=
for word; do
	case "$word" in
	-*) ;;
	start | stop | restart | try-restart | reload | is-active | is-enabled) action=$word ;;
	*) units="$units ${{word%.service}}" ;;
	esac
done

# The unit's first process.
program() {{
	case "$1" in
	mariadb) echo mariadbd ;;
	postfix | postfix@-) echo master ;;
	dovecot | mumd) echo "$1" ;;
	*) return 1 ;;
	esac
}}

# By its parent, which is the machine's first process: others have children of that name.
running() {{
	pgrep -x -P 1 "$(program "$1")" >/dev/null
}}

stop() {{
	pkill -x -P 1 "$(program "$1")"
	while running "$1"; do sleep 0.1; done
}}

start() {{
	running "$1" || case "$1" in
	mariadb)
		install -d -o mysql -g mysql /run/mysqld
		setsid mariadbd --user=mysql </dev/null >>/var/log/mariadbd.log 2>&1 &
		;;
	# Debian 13's leaves it to systemctl unless it is started by systemd itself.
	postfix | postfix@-) INVOCATION_ID=1 postfix start ;;
	*) "$1" ;;
	esac
}}

for unit in $units; do
	program "$unit" >/dev/null || continue
	case "$action" in
	is-enabled) echo enabled ;;
	is-active) running "$unit" || exit 3 ;;
	start) start "$unit" ;;
	stop) stop "$unit" ;;
	restart) stop "$unit"; start "$unit" ;;
	try-restart) ! running "$unit" || {{ stop "$unit"; start "$unit"; }} ;;
	esac
done
exit 0
"""


# apt has dpkg look for programs in the system's directories alone.
PATH = 'DPkg::Path "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";\n'


def manage(machine):
    """From now on it looks as if systemd ran there."""
    machine.write("/usr/local/sbin/systemctl", SYSTEMCTL, 0o755)
    machine.write("/etc/apt/apt.conf.d/99path", PATH)
    machine.run(f"mkdir -p /run/systemd/system; rm -f /usr/sbin/policy-rc.d; : >{CALLS}")
