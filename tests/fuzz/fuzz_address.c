/* SPDX-License-Identifier: MIT */
/* Keys of every kind, and addresses on their way out. */
#include "common/address.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/address-quote.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

static const char *const delimiters[] = { "", "+", "-", "+-=" };

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static void check_part(const char *part)
{
	HOLDS(*part != '\0' && count_characters(part) <= ADDRESS_PART_MAX);
	HOLDS(text_is_clean(part, strlen(part)));
}

static void check_address(const struct address *address, enum address_kind kind,
			  const char *delimiter)
{
	bool mail = kind == ADDRESS_MAIL || kind == ADDRESS_LOGIN;

	HOLDS(address->forms_count >= 1 && address->forms_count <= ADDRESS_FORMS_MAX);
	HOLDS(address->domains_count >= 1 &&
	      address->domains_count <= ADDRESS_SPELLINGS_MAX);
	for (size_t i = 0; i < address->forms_count; i++) {
		const struct address_form *form = &address->forms[i];

		if (mail)
			check_part(form->local);
		else
			HOLDS(*form->local == '\0');
		HOLDS(*form->extension == '\0' ||
		      (kind == ADDRESS_MAIL && strchr(delimiter, *form->extension) != NULL));
		if (mail)
			HOLDS(address_is_local(form, form->local));
	}
	for (size_t i = 0; i < address->domains_count; i++)
		check_part(address->domains[i]);
	/* A stored name is read as a TLS key may be; no other has a port or brackets. */
	if (kind == ADDRESS_TLS || strpbrk(address->domain, ":[]") == NULL)
		HOLDS(address_is_domain(address, address->domain));
	HOLDS(text_is_clean(address->name, strlen(address->name)));
}

static bool has_equal_facts(const struct address *one, const struct address *other)
{
	bool equal = one->forms_count == other->forms_count &&
		     one->domains_count == other->domains_count &&
		     strcmp(one->domain, other->domain) == 0;

	for (size_t i = 0; equal && i < one->forms_count; i++)
		equal = strcmp(one->forms[i].local, other->forms[i].local) == 0;
	for (size_t i = 0; equal && i < one->domains_count; i++)
		equal = strcmp(one->domains[i], other->domains[i]) == 0;
	return equal;
}

/* A cache takes two addresses for one where their keys are equal, and only there. */
static void check_keys(const struct address *one, const struct address *other)
{
	HOLDS((strcmp(one->key, other->key) == 0) == has_equal_facts(one, other));
}

/* Two from one input, parted by a newline, which no address holds; other spellings of one. */
static void check_pairs(enum address_kind kind, const char *text, size_t len,
			const char *delimiter)
{
	const char *line = memchr(text, '\n', len);
	size_t first = line != NULL ? (size_t)(line - text) : len;
	struct address *addresses[4] = { address_new(kind, text, first, delimiter) };
	char *folded = NULL;

	if (line != NULL)
		addresses[1] = address_new(kind, line + 1, len - first - 1, delimiter);
	if (addresses[0] != NULL) {
		folded = address_fold_case(text, first);
		addresses[2] = address_new(kind, folded, strlen(folded), delimiter);
		addresses[3] = address_new(kind, addresses[0]->name,
					   strlen(addresses[0]->name), delimiter);
	}
	free(folded);
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < i; j++) {
			if (addresses[i] != NULL && addresses[j] != NULL)
				check_keys(addresses[i], addresses[j]);
		}
	}
	for (size_t i = 0; i < 4; i++)
		address_unref(&addresses[i]);
}

/* Folding twice is folding once, and a text names what it folds to. */
static void check_fold(const char *text, size_t len)
{
	char *copy = strndup(text, len), *folded = address_fold(copy), *again;

	again = address_fold(folded);
	HOLDS(strcmp(again, folded) == 0);
	HOLDS(address_is_same(copy, copy) && address_is_same(copy, folded));
	HOLDS(address_is_same(folded, copy));
	free(again);
	free(folded);
	free(copy);
}

/* One address: a dot-atom or a quoted-string, "@", the domain, and nothing else. */
static void check_external(const char *local, size_t len, const char *extension)
{
	static const char domain[] = "@example.com";
	struct buf stored = BUF_INIT(65536), out = BUF_INIT(262144);
	char *stored_text, *text;
	const char *at;

	buf_put(&stored, local, len);
	buf_puts(&stored, domain);
	stored_text = buf_steal(&stored);
	address_put_external(&out, stored_text, extension);
	HOLDS(!out.failed);
	text = buf_steal(&out);
	at = text;
	if (*at == '"') {
		for (at++; *at != '"'; at++) {
			at += *at == '\\';
			HOLDS(*at != '\0');
		}
		at++;
	} else {
		at += strcspn(text, "()<>[]:;@\\,\" ");
	}
	HOLDS(at > text && strcmp(at, domain) == 0);
	free(text);
	free(stored_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	enum address_kind kind = (enum address_kind)(choice % 4);
	const char *delimiter = delimiters[choice / 4 % 4];
	const char *text = (const char *)feed.data;
	struct address *address = address_new(kind, text, feed.size, delimiter);
	size_t len;
	char *local;

	if (address != NULL) {
		fuzz_reached();
		HOLDS(text_is_clean(text, feed.size));
		check_fold(text, feed.size);
		check_address(address, kind, delimiter);
		for (size_t i = 0; i < address->forms_count; i++)
			check_external("\"jane doe\"", 10, address->forms[i].extension);
	}
	address_unref(&address);
	check_pairs(kind, text, feed.size, delimiter);
	local = feed_text(&feed, &len);
	/* What an admin stored is clean where it matters; see socketmap.c. */
	if (local != NULL && strlen(local) == len && text_is_clean(local, len))
		check_external(local, len, choice % 2 != 0 ? "+Tag" : "");
	free(local);
	return 0;
}
