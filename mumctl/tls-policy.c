/* SPDX-License-Identifier: MIT */
/* The grammar of smtp_tls_policy_maps: postconf(5), TLS_README "Client TLS policy". */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/xalloc.h"
#include "mumctl/check.h"

enum tls_level {
	TLS_LEVEL_NONE, TLS_LEVEL_MAY, TLS_LEVEL_ENCRYPT, TLS_LEVEL_FINGERPRINT,
	TLS_LEVEL_DANE, TLS_LEVEL_VERIFY, TLS_LEVEL_SECURE, TLS_LEVEL_INVALID
};

static enum tls_level read_level(const char *policy)
{
	static const struct {
		const char *name;
		enum tls_level level;
	} levels[] = {
		{ "none", TLS_LEVEL_NONE }, { "may", TLS_LEVEL_MAY },
		{ "encrypt", TLS_LEVEL_ENCRYPT }, { "fingerprint", TLS_LEVEL_FINGERPRINT },
		{ "dane", TLS_LEVEL_DANE }, { "dane-only", TLS_LEVEL_DANE },
		{ "verify", TLS_LEVEL_VERIFY }, { "secure", TLS_LEVEL_SECURE },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcasecmp(policy, levels[i].name) == 0)
			return levels[i].level;
	}
	return TLS_LEVEL_INVALID;
}

static bool is_yes_or_no(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "no") == 0;
}

/* Up to the dot or the end. Moves *at behind it. */
static bool is_label(const char **at)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *label = *at;
	size_t len = strspn(label, allowed);

	*at += len;
	return len > 0 && len <= 63 && label[0] != '-' && label[len - 1] != '-';
}

/* As Postfix's valid_hostname(): no number of dots and digits, no dot at the end. */
static bool is_hostname(const char *value)
{
	const char *at = value;

	if (strlen(value) > 255 || strspn(value, "0123456789.") == strlen(value))
		return false;
	while (is_label(&at)) {
		if (*at == '\0')
			return true;
		if (*at++ != '.')
			return false;
	}
	return false;
}

/* Pairs of hexadecimal digits, perhaps with colons between them. */
static bool is_digest(const char *word, size_t len)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	size_t i = 0;

	while (i + 1 < len && strchr(digits, word[i]) != NULL &&
	       strchr(digits, word[i + 1]) != NULL) {
		i += 2;
		if (i == len)
			return true;
		i += word[i] == ':';
	}
	return false;
}

/* Postfix passes over words that are no digests. */
static bool has_digest(const char *value)
{
	for (;; value++) {
		size_t len = strcspn(value, "|");

		if (is_digest(value, len))
			return true;
		value += len;
		if (*value == '\0')
			return false;
	}
}

static bool is_verified(enum tls_level level)
{
	return level == TLS_LEVEL_VERIFY || level == TLS_LEVEL_SECURE;
}

static bool is_one_of(const char *word, const char *const *names)
{
	while (*names != NULL && strcasecmp(*names, word) != 0)
		names++;
	return *names != NULL;
}

static bool is_grade(const char *value)
{
	static const char *const grades[] = {
		"high", "medium", "low", "export", "null", NULL
	};

	return is_one_of(value, grades);
}

static const char *const protocols[] = {
	"SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", NULL
};

/* Behind ">=" or "<=": a name, or a hexadecimal number that fits an int. */
static bool is_version(const char *word)
{
	char *end;
	unsigned long number;

	if (strcasecmp(word, "None") == 0 ||
	    (strcasecmp(word, "SSLv2") != 0 && is_one_of(word, protocols)))
		return true;
	number = strtoul(word, &end, 16);
	return *end == '\0' && number <= INT_MAX;
}

static bool is_protocol(const char *word)
{
	if (strncmp(word, ">=", 2) == 0 || strncmp(word, "<=", 2) == 0)
		return is_version(word + 2);
	return is_one_of(word + (*word == '!'), protocols);
}

/* A cipher, not OpenSSL's mark of what to do with it. */
static bool is_exclusion(const char *word)
{
	return strchr("!+-@", *word) == NULL;
}

/* Blanks and commas, which separate too, have ended the attribute already. */
static bool is_list_of(const char *value, bool (*is_item)(const char *word))
{
	char *copy = xstrdup(value), *rest = copy, *word;
	bool good = true;

	while (good && (word = strsep(&rest, ":")) != NULL)
		good = *word == '\0' || is_item(word);
	free(copy);
	return good;
}

struct attributes {
	bool ciphers, protocols, servername, exclude, digest;
};

/* Notes that an attribute which may stand once is there. */
static const char *once(bool *seen)
{
	bool again = *seen;

	*seen = true;
	return again ? "an attribute stands there twice" : NULL;
}

static const char *attribute_fault(enum tls_level level, const char *name,
				   const char *value, struct attributes *seen)
{
	if (strcasecmp(name, "ciphers") == 0)
		return is_grade(value) ? once(&seen->ciphers)
				       : "ciphers is none of high, medium, low, export, null";
	if (strcasecmp(name, "protocols") == 0)
		return is_list_of(value, is_protocol) ? once(&seen->protocols)
						      : "protocols has an unknown one";
	if (strcasecmp(name, "exclude") == 0)
		return is_list_of(value, is_exclusion) ? once(&seen->exclude)
						       : "exclude has one of !, +, - and @";
	if (strcasecmp(name, "servername") == 0)
		return is_hostname(value) ? once(&seen->servername)
					  : "servername is no host name";
	if (strcasecmp(name, "match") == 0) {
		seen->digest |= has_digest(value);
		if (*value == '\0')
			return "match has no value";
		return is_verified(level) || level == TLS_LEVEL_FINGERPRINT
			       ? NULL : "match does not go with this policy";
	}
	if (strcasecmp(name, "tafile") == 0)
		return is_verified(level) && *value != '\0'
			       ? NULL : "tafile goes with verify and secure, and a file";
	if (strcasecmp(name, "connection_reuse") == 0 ||
	    strcasecmp(name, "enable_rpk") == 0)
		return is_yes_or_no(value) ? NULL : "neither yes nor no";
	return "unknown attribute";
}

const char *tls_policy_fault(const char *policy, const char *params)
{
	enum tls_level level = read_level(policy);
	struct attributes seen = { false };
	char *copy = xstrdup(params), *rest = copy, *word;
	const char *fault = NULL;

	if (level == TLS_LEVEL_INVALID)
		fault = "unknown policy";
	/* With TLS switched off, smtp(8) only warns of attributes. */
	while (fault == NULL && level != TLS_LEVEL_NONE &&
	       (word = strsep(&rest, ", \t\r\n")) != NULL) {
		char *equals = strchr(word, '=');

		if (*word == '\0')
			continue;
		if (equals == NULL || equals == word) {
			fault = "not NAME=VALUE";
			continue;
		}
		*equals = '\0';
		fault = attribute_fault(level, word, equals + 1, &seen);
	}
	free(copy);
	if (fault == NULL && level == TLS_LEVEL_FINGERPRINT && !seen.digest)
		fault = "fingerprint needs match=DIGEST";
	return fault;
}
