/* SPDX-License-Identifier: MIT */
/*
 * The grammar of smtp_tls_policy_maps: postconf(5), TLS_README "Client TLS policy". Postfix
 * has it since 3.4; 3.9 added enable_rpk, and 3.10 the attributes for TLSRPT (TLSRPT_README)
 * and the form { name = value }. 3.11 added none.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/units.h"
#include "common/xalloc.h"
#include "mumctl/check/check.h"

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

/* Reads up to the next dot or the end. Moves *at behind the label. */
static bool is_label(const char **at)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *label = *at;
	size_t len = strspn(label, allowed);

	*at += len;
	return len > 0 && len <= 63 && label[0] != '-' && label[len - 1] != '-';
}

/* As Postfix's valid_hostname(): not only dots and digits, no dot at the end. */
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

/* Postfix ignores words that are no digests. */
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

static const char *const yes_no[] = { "yes", "no", NULL };
static const char *const grades[] = { "high", "medium", "low", "export", "null", NULL };
static const char *const policy_types[] = { "sts", "no-policy-found", NULL };
static const char *const policy_failures[] = {
	"sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid", "validation-failure",
	NULL
};
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

/* Is it a cipher, without one of OpenSSL's marks in front? */
static bool is_exclusion(const char *word)
{
	return strchr("!+-@", *word) == NULL;
}

/* A value has blanks and commas only if braces are around the attribute. */
static bool is_list_of(const char *value, bool (*is_item)(const char *word))
{
	char *copy = xstrdup(value), *rest = copy, *word;
	bool good = true;

	while (good && (word = strsep(&rest, ":, \t\r\n")) != NULL)
		good = *word == '\0' || is_item(word);
	free(copy);
	return good;
}

enum { VERSION_RPK = 309, VERSION_TLSRPT = 310 };

struct attributes {
	bool ciphers, protocols, servername, exclude, digest;
	bool type, domain, ttl, failure;	/* policy_type and so on */
	bool described;		/* any of those that need policy_type */
};

/* Notes an attribute that may stand only once. */
static const char *once(bool *seen)
{
	bool again = *seen;

	*seen = true;
	return again ? "an attribute stands there twice" : NULL;
}

/* Digits alone, of a number that fits an int. */
static bool is_ttl(const char *value)
{
	uint64_t number;

	return units_parse_number(value, &number) && number <= INT_MAX;
}

/* Attributes for TLSRPT reports, which go to the domain. */
static const char *tlsrpt_fault(const char *name, const char *value,
				struct attributes *seen)
{
	if (strcasecmp(name, "policy_type") == 0)
		return is_one_of(value, policy_types) ? once(&seen->type)
					     : "policy_type is none of sts, no-policy-found";
	seen->described = true;
	if (strcasecmp(name, "policy_domain") == 0)
		return is_hostname(value) ? once(&seen->domain)
					  : "policy_domain is no host name";
	if (strcasecmp(name, "policy_ttl") == 0)
		return is_ttl(value) ? once(&seen->ttl) : "policy_ttl is no number";
	if (strcasecmp(name, "policy_failure") == 0)
		return is_one_of(value, policy_failures) ? once(&seen->failure)
						: "policy_failure is unknown";
	if (strcasecmp(name, "policy_string") == 0 || strcasecmp(name, "mx_host_pattern") == 0)
		return NULL;
	return "unknown attribute";
}

static const char *attribute_fault(enum tls_level level, const char *name,
				   const char *value, unsigned version,
				   struct attributes *seen)
{
	if (strcasecmp(name, "ciphers") == 0)
		return is_one_of(value, grades) ? once(&seen->ciphers)
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
	    (strcasecmp(name, "enable_rpk") == 0 && version >= VERSION_RPK))
		return is_one_of(value, yes_no) ? NULL : "neither yes nor no";
	return version >= VERSION_TLSRPT ? tlsrpt_fault(name, value, seen)
					 : "unknown attribute";
}

static const char separators[] = ", \t\r\n";

/*
 * The next attribute, NULL at the end; moves *rest behind it. braces: a separator within
 * a pair of them does not count.
 */
static char *next_attribute(char **rest, bool braces)
{
	char *start = *rest + strspn(*rest, separators), *end = start;
	int depth = 0;

	while (*end != '\0' && (depth > 0 || strchr(separators, *end) == NULL)) {
		if (braces)
			depth += (*end == '{') - (*end == '}' && depth > 0);
		end++;
	}
	*rest = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return end > start ? start : NULL;
}

/* What is in the braces; NULL unless they close at the end, and only there. */
static char *inside_braces(char *word)
{
	size_t len = strlen(word);
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		depth += (word[i] == '{') - (word[i] == '}');
		if (depth == 0 && i + 1 < len)
			return NULL;
	}
	if (depth != 0)
		return NULL;
	word[len - 1] = '\0';
	return word + 1;
}

static char *trimmed(char *text)
{
	char *end;

	text += strspn(text, " \t\r\n");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
		*--end = '\0';
	return text;
}

/* What is wrong with one attribute; or NULL. */
static const char *word_fault(enum tls_level level, char *word, unsigned version,
			      struct attributes *seen)
{
	char *equals, *name;

	if (*word == '{' && version >= VERSION_TLSRPT)
		word = inside_braces(word);
	equals = word != NULL ? strchr(word, '=') : NULL;
	if (equals == NULL)
		return "not NAME=VALUE";
	*equals = '\0';
	name = trimmed(word);
	if (*name == '\0' || strpbrk(name, " \t\r\n") != NULL)
		return "not NAME=VALUE";
	return attribute_fault(level, name, trimmed(equals + 1), version, seen);
}

const char *tls_policy_fault(const char *policy, const char *params, unsigned version)
{
	enum tls_level level = read_level(policy);
	struct attributes seen = { false };
	char *copy = xstrdup(params), *rest = copy, *word;
	const char *fault = level == TLS_LEVEL_INVALID ? "unknown policy" : NULL;

	if (version == 0)
		version = UINT_MAX;
	/* With TLS switched off, smtp(8) only warns of attributes. */
	while (fault == NULL && level != TLS_LEVEL_NONE &&
	       (word = next_attribute(&rest, version >= VERSION_TLSRPT)) != NULL)
		fault = word_fault(level, word, version, &seen);
	free(copy);
	if (fault == NULL && level == TLS_LEVEL_FINGERPRINT && !seen.digest)
		fault = "fingerprint needs match=DIGEST";
	if (fault == NULL && seen.described && !seen.type)
		fault = "what is told of a policy needs policy_type";
	return fault;
}
