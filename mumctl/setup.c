/* SPDX-License-Identifier: MIT */
/* setup: the lines that make Postfix and Dovecot ask us, for this machine. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/xalloc.h"
#include "common/buf.h"
#include "mumctl/commands.h"
#include "mumctl/grants.h"
#include "mumctl/settings.h"
#include "postfix-policy/quota/settings.h"

/* What Postfix uses, or its default while there is no main.cf. Caller frees. */
static char *queue_directory(void)
{
	return settings_first_line("postconf -h queue_directory || "
				   "postconf -d -h queue_directory || echo /var/spool/postfix");
}

/*
 * A value for dovecot.conf. Outside of quotes a '#' begins a comment there, '$' a variable,
 * '<' a file, and Dovecot drops blanks at either end. Caller frees.
 */
static char *dovecot_value(const char *text)
{
	struct buf quoted = BUF_INIT(65536);

	if (*text != '\0' && strpbrk(text, " \t#$<\"'\\") == NULL)
		return xstrdup(text);
	buf_puts(&quoted, "\"");
	for (; *text != '\0'; text++)
		buf_printf(&quoted, "%s%c", strchr("\"\\", *text) != NULL ? "\\" : "", *text);
	buf_puts(&quoted, "\"");
	return buf_steal(&quoted);
}

struct setup {
	const struct mum_config *config;
	const char *config_path;
	bool measures;		/* mum.conf has what mumctl measure needs */
	char *postfix, *queue, *dovecot;	/* versions, and Postfix's queue directory */
	struct buf mum_conf, main_cf, master_cf, commands, dovecot_conf, grants;
};

/* The first listener as Postfix names it; NULL when there is none. Caller frees. */
static char *endpoint(const struct setup *setup, const struct mum_list *listen,
		      const char *option)
{
	if (listen->count > 0)
		return settings_relative(listen->items[0], setup->queue);
	tool_complain(option, "empty; the lines that ask there are left out");
	return NULL;
}

static void put_maps(struct setup *setup, const char *map)
{
	buf_printf(&setup->main_cf,
		   "virtual_mailbox_domains = socketmap:%s:domains\n"
		   "virtual_mailbox_maps = socketmap:%s:mailboxes\n"
		   "virtual_alias_maps = socketmap:%s:aliases\n"
		   "virtual_alias_domains =\n"
		   "virtual_transport = lmtp:unix:private/dovecot-lmtp\n"
		   "recipient_delimiter = %s\n"
		   "smtp_tls_policy_maps = socketmap:%s:tls-policies\n",
		   map, map, map, setup->config->address.recipient_delimiter, map);
}

#define TABLES "(domains|mailboxes|aliases|recipient-access|sender-login-maps|tls-policies)"
#define MYSQL "(proxy:)?mysql:[^,[:space:]]*/"
#define ASK "check_policy_service { %s, policy_context="

/* Replaces MUM's mysql: files by our maps, and leaves the rest of main.cf. */
static void put_exchange(struct buf *commands, const char *map, const char *policy)
{
	buf_printf(commands,
		   "cd /etc/postfix\n"
		   "[ -e main.cf.before-mum ] || cp -p main.cf main.cf.before-mum\n"
		   "[ -e master.cf.before-mum ] || cp -p master.cf master.cf.before-mum\n"
		   "mkdir -p /etc/postfix/mum.new\n"
		   "cd /etc/postfix/mum.new\n"
		   "cp -p ../main.cf ../master.cf .\n"
		   "sed -Ezi 's#check_recipient_access[,[:space:]]+" MYSQL
		   "recipient-access\\.cf#" ASK "recipient, timeout=10s }#g' \\\n"
		   "    main.cf\n"
		   "sed -Ei 's#" MYSQL TABLES "\\.cf#socketmap:%s:\\2#g' \\\n"
		   "    main.cf master.cf\n"
		   "[ -n \"$(postconf -c . -n virtual_alias_domains)\" ] ||\n"
		   "    postconf -c . -e 'virtual_alias_domains ='\n"
		   "[ \"$(postconf -c . -h local_recipient_maps)\" != '$virtual_mailbox_maps' ]"
		   " ||\n"
		   "    postconf -c . -X local_recipient_maps\n",
		   policy, map);
}

/* Each service where people log in asks us before its own restrictions. */
static void put_logins(struct buf *commands, const char *policy, bool send)
{
	buf_printf(commands,
		   "ask_first() {       # SERVICE LIST CONTEXT: mumd, and then what LIST had\n"
		   "    name=mum_$(echo \"$1_$2\" | tr -c 'a-z0-9\\n' _)\n"
		   "    own=$({ postconf -c . -h \"$2\"; postconf -c . -P |\n"
		   "        awk -v key=\"$1/$2\" '$1 == key { sub(/^[^=]*= ?/, \"\"); print }'; }"
		   " | tail -n 1)\n"
		   "    case $own in *\"$name\"* | *%s*) return 0 ;; esac\n"
		   "    postconf -c . -e \"$name = " ASK "$3, timeout=10s }${own:+, $own}\"\n"
		   "    postconf -c . -P \"$1/$2=\\$$name\"\n"
		   "}\n"
		   "for service in $(postconf -c . -P |\n"
		   "    sed -nE 's#/(smtpd_sasl_auth_enable = yes|smtpd_sender_login_maps = .*)$##p'"
		   " | sort -u); do\n"
		   "    ask_first \"$service\" smtpd_sender_restrictions sender\n"
		   "    ask_first \"$service\" smtpd_recipient_restrictions recipient\n"
		   "%s"
		   "    postconf -c . -PX \"$service/smtpd_reject_unlisted_recipient\"\n"
		   "done\n",
		   policy, policy,
		   !send ? "" : "    ask_first \"$service\" smtpd_data_restrictions "
				"\"limit, default_action=DUNNO\"\n");
}

/* The commands of mum-postfix(7), step 8, with the sockets of mum.conf. */
static void put_commands(struct buf *commands, const char *map, const char *policy, bool send)
{
	put_exchange(commands, map, policy);
	put_logins(commands, policy, send);
	buf_puts(commands, "diff ../main.cf main.cf || true\n"
			   "diff ../master.cf master.cf || true\n"
			   "grep -n '^[^#]*mysql:' main.cf master.cf || true\n"
			   "doveconf -n | grep -E '^ *driver = sql$|^(pass|user)db sql' || true\n"
			   "cd /etc/postfix\n"
			   "[ ! -e mum.new/main.cf ] || {\n"
			   "    postconf -e \"proxy_read_maps = $(postconf -hx proxy_read_maps), "
			   "$(postconf -c mum.new -hx proxy_read_maps)\"\n"
			   "    postfix reload\n"
			   "    sleep 2\n"
			   "    mv mum.new/main.cf mum.new/master.cf .\n"
			   "}\n"
			   "postfix check\n"
			   "postfix reload\n");
}

static void put_postfix(struct setup *setup)
{
	const struct mum_config *config = setup->config;
	char *map = endpoint(setup, &config->socketmap.listen, "socketmap.listen");
	char *policy = endpoint(setup, &config->policy.listen, "policy.listen");

	if (map != NULL)
		put_maps(setup, map);
	/* The admin decides on smtpd_relay_restrictions. */
	buf_puts(&setup->main_cf, "smtpd_relay_before_recipient_restrictions = yes\n");
	if (policy != NULL)
		buf_printf(&setup->main_cf,
			   "smtpd_recipient_restrictions =\n"
			   "    check_policy_service { %s, policy_context=recipient, "
			   "timeout=10s }\n", policy);
	buf_puts(&setup->master_cf,
		 "submission inet n       -       y       -       -       smtpd\n"
		 "  -o syslog_name=postfix/submission\n"
		 "  -o smtpd_tls_security_level=encrypt\n"
		 "  -o smtpd_sasl_auth_enable=yes\n"
		 "  -o smtpd_sasl_type=dovecot\n"
		 "  -o smtpd_sasl_path=private/auth\n"
		 "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n");
	if (policy != NULL)
		buf_printf(&setup->master_cf,
			   "  -o { smtpd_sender_restrictions = check_policy_service { %s, "
			   "policy_context=sender, timeout=10s } }\n", policy);
	if (policy != NULL && config->policy.send != MUM_CHECK_OFF)
		buf_printf(&setup->master_cf,
			   "  -o { smtpd_data_restrictions = check_policy_service { %s, "
			   "policy_context=limit, timeout=10s, default_action=DUNNO } }\n",
			   policy);
	if (map != NULL && policy != NULL)
		put_commands(&setup->commands, map, policy,
			     config->policy.send != MUM_CHECK_OFF);
	free(map);
	free(policy);
}

/* What Dovecot 2.3 and 2.4 spell differently. */
static void put_dovecot_23(struct buf *out, const char *path)
{
	buf_printf(out,
		   "passdb {\n  driver = mum\n  args = %s\n}\n"
		   "userdb {\n  driver = mum\n  args = %s\n}\n"
		   "mail_plugins = $mail_plugins quota\n"
		   "protocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\n"
		   "plugin {\n  quota = count:User quota\n  quota_vsizes = yes\n}\n",
		   path, path);
}

static void put_dovecot_24(struct buf *out, const char *path)
{
	buf_printf(out,
		   "mum_config_file = %s\npassdb mum {\n}\nuserdb mum {\n}\n"
		   "protocol lmtp {\n  auth_username_format = %%{user | lower}\n}\n"
		   "mail_plugins {\n  quota = yes\n}\n"
		   "protocol imap {\n  mail_plugins {\n    imap_quota = yes\n  }\n}\n"
		   "quota \"User quota\" {\n}\n",
		   path);
}

/* What mumd asks at policy.quota_status; mumd's user must be able to connect. */
static void put_quota_status(struct setup *setup, bool is_24)
{
	const struct mum_config *config = setup->config;
	const struct passwd *user = getpwnam(config->process.user);
	const struct group *group = user != NULL ? getgrgid(user->pw_gid) : NULL;
	const char *path = quota_settings(config).path;

	if (path == NULL)
		return;
	buf_puts(&setup->dovecot_conf,
		 is_24 ? "quota_status_success = DUNNO\n"
			 "quota_status_nouser = DUNNO\n"
			 "quota_status_overquota = 452 4.2.2 mailbox is full\n"
			 "quota_status_toolarge = 452 4.2.2 mailbox is full\n"
		       : "plugin {\n"
			 "  quota_status_success = DUNNO\n"
			 "  quota_status_nouser = DUNNO\n"
			 "  quota_status_overquota = 452 4.2.2 mailbox is full\n"
			 "}\n");
	buf_printf(&setup->dovecot_conf,
		   "service quota-status {\n"
		   "  executable = quota-status -p postfix\n"
		   "  client_limit = 1\n"
		   "  process_limit = %u\n"
		   "  unix_listener %s {\n    mode = 0660\n    group = %s\n  }\n}\n",
		   config->policy.quota_connections + 16, path,
		   group != NULL ? group->gr_name : config->process.user);
}

static void put_dovecot(struct setup *setup)
{
	const char *queue = setup->queue;
	char *path = dovecot_value(setup->config_path);
	bool is_24 = settings_generation(setup->dovecot) == DOVECOT_2_4;

	if (is_24)
		put_dovecot_24(&setup->dovecot_conf, path);
	else
		put_dovecot_23(&setup->dovecot_conf, path);
	buf_printf(&setup->dovecot_conf,
		   "mail_uid = vmail\nmail_gid = vmail\n"
		   "lmtp_rcpt_check_quota = yes\n"
		   "service lmtp {\n  unix_listener %s/private/dovecot-lmtp {\n"
		   "    mode = 0600\n    user = postfix\n    group = postfix\n  }\n}\n"
		   "service auth {\n  unix_listener %s/private/auth {\n"
		   "    mode = 0660\n    user = postfix\n    group = postfix\n  }\n}\n",
		   queue, queue);
	put_quota_status(setup, is_24);
	free(path);
}

/* What mum.conf should say, if main.cf shows that. */
static void put_mum_conf(struct setup *setup)
{
	struct settings *settings = settings_load();

	if (settings_other_tables(settings, setup->config) == 0)
		buf_puts(&setup->mum_conf, "# Postfix asks no other table about aliases and "
					   "mailboxes.\n"
					   "address {\n    other_maps = false\n}\n");
	settings_free(&settings);
}

/* from: the host of the programs, as the server sees it. require: the REQUIRE clause. */
static void put_accounts(struct setup *setup, const char *from, const char *require)
{
	const struct mum_config *config = setup->config;
	const char *const users[] = {
		[MUM_ROLE_POSTFIX] = config->database.user,
		[MUM_ROLE_DOVECOT] = config->dovecot.user,
		[MUM_ROLE_MEASURE] = config->measure.user,
	};
	const char *const comments[] = {
		[MUM_ROLE_POSTFIX] = "", [MUM_ROLE_DOVECOT] = "",
		[MUM_ROLE_MEASURE] = setup->measures ? "" : "-- ",
	};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		buf_printf(&setup->grants,
			   "%sCREATE USER IF NOT EXISTS '%s'@'%s' IDENTIFIED BY 'change-me'%s;\n",
			   comments[i], users[i], from, require);
	for (size_t i = 0; i < GRANTS; i++) {
		char *account = xasprintf("'%s'@'%s'", users[grants[i].role], from);
		char *grant = grant_statement(&grants[i], config->database.name, account);

		buf_printf(&setup->grants, "%s%s;\n", comments[grants[i].role], grant);
		free(grant);
		free(account);
	}
}

/* The shipped mum.conf names a password file, which exists where mumctl measure is used. */
static bool has_measure(const struct setup *setup)
{
	char *errors = NULL;
	struct mum_config *config = mum_config_load(setup->config_path, MUM_ROLE_MEASURE,
						    &errors);
	bool has = config != NULL && grants_has_measure(config);

	mum_config_free(&config);
	free(errors);
	return has;
}

static void put_grants(struct setup *setup)
{
	const struct mum_config *config = setup->config;
	bool local = false, remote = false, tls = false;

	if (config->database.driver == MUM_DRIVER_SQLITE)
		return;
	setup->measures = has_measure(setup);
	for (size_t i = 0; i < config->database.hosts.count; i++) {
		const char *host = config->database.hosts.items[i];
		bool here = mum_config_is_local(host);

		local = local || here;
		remote = remote || !here;
		tls = tls || (!here && mum_config_wants_tls(config, host));
	}
	if (local)
		put_accounts(setup, "localhost", "");
	if (remote) {
		buf_puts(&setup->grants, "-- better than '%': the address from which this "
					 "machine comes to the server\n");
		put_accounts(setup, "%", tls ? " REQUIRE SSL" : "");
	}
}

static json_t *part(struct buf *buf)
{
	char *text = buf_steal(buf);
	json_t *string = tool_json_text(text);

	free(text);
	return string;
}

static void print_part(const char *title, struct buf *buf)
{
	char *text = buf_steal(buf);

	if (*text != '\0')
		printf("# ---- %s ----\n\n%s\n", title, text);
	free(text);
}

static void print_all(struct setup *setup)
{
	char *dovecot = xasprintf("Dovecot %s: /etc/dovecot/conf.d/99-mum.conf",
				  *setup->dovecot != '\0' ? setup->dovecot : "2.3");
	char *postfix = xasprintf("Postfix %s, on a new server: main.cf",
				  *setup->postfix != '\0' ? setup->postfix : "3.4 or later");

	print_part("mum.conf: if all of it is so, put it there", &setup->mum_conf);
	print_part(dovecot, &setup->dovecot_conf);
	print_part(postfix, &setup->main_cf);
	print_part("Postfix, on a new server: master.cf", &setup->master_cf);
	print_part("Postfix, with MUM's mysql: files: these commands instead; both greps must "
		   "print nothing", &setup->commands);
	print_part("MariaDB: load as its administrator, with passwords of your own",
		   &setup->grants);
	free(dovecot);
	free(postfix);
}

static json_t *all_as_json(struct setup *setup)
{
	return json_pack("{ss ss so so so so so so}", "postfix_version", setup->postfix,
			 "dovecot_version", setup->dovecot,
			 "mum.conf", part(&setup->mum_conf), "main.cf", part(&setup->main_cf),
			 "master.cf", part(&setup->master_cf), "commands",
			 part(&setup->commands), "dovecot.conf", part(&setup->dovecot_conf),
			 "grants", part(&setup->grants));
}

int command_setup(struct tool *tool, int argc, char **argv)
{
	/* Dovecot's auth has another working directory. */
	char *path = tool->config_path[0] != '/' ? realpath(tool->config_path, NULL) : NULL;
	struct setup setup = {
		.config_path = path != NULL ? path : tool->config_path,
		.mum_conf = BUF_INIT(65536), .main_cf = BUF_INIT(65536), .master_cf = BUF_INIT(65536),
		.commands = BUF_INIT(65536), .dovecot_conf = BUF_INIT(65536),
		.grants = BUF_INIT(65536),
	};

	(void)argv;
	if (argc != 0)
		tool_usage(USAGE_SETUP);
	setup.config = tool_config(tool, MUM_ROLE_POSTFIX);
	setup.postfix = settings_first_line("postconf -d -h mail_version");
	setup.queue = queue_directory();
	setup.dovecot = settings_dovecot_version();
	put_mum_conf(&setup);
	put_postfix(&setup);
	put_dovecot(&setup);
	put_grants(&setup);
	if (tool->json)
		tool_print_json(all_as_json(&setup));
	else
		print_all(&setup);
	free(path);
	free(setup.postfix);
	free(setup.queue);
	free(setup.dovecot);
	return 0;
}
