/* SPDX-License-Identifier: MIT */
#include "common/name-pairs.h"

void pairs_put_json(struct buf *json, const struct address *address)
{
	for (size_t form = 0; form < address->forms_count; form++) {
		for (size_t i = 0; i < address->domains_count; i++) {
			buf_puts(json, json->len > 1 ? ",[" : "[");
			buf_put_json(json, address->forms[form].local);
			buf_puts(json, ",");
			buf_put_json(json, address->domains[i]);
			buf_puts(json, "]");
		}
	}
}
