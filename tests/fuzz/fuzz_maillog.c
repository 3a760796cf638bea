/* SPDX-License-Identifier: MIT */
/* Lines of a mail log, whose text comes from whoever talks to Postfix. */
#include "mumctl/compare/mail-log.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* A part lies inside the line. */
static void check_part(const struct mail_log_text *part, const char *line)
{
	const char *end = line + strlen(line);

	if (part->data != NULL)
		HOLDS(part->data > line && part->data <= end &&
		      part->len <= (size_t)(end - part->data));
	else
		HOLDS(part->len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_log_line line;
	char *text = calloc(1, size + 1);

	if (size > 0)
		memcpy(text, data, size);
	if (mail_log_read(text, &line)) {
		fuzz_reached();
		HOLDS(line.sender.data != NULL || line.recipient.data != NULL ||
		      line.login.data != NULL);
		HOLDS(line.queue_id.data == NULL || line.queue_id.len > 0);
		check_part(&line.queue_id, text);
		check_part(&line.sender, text);
		check_part(&line.recipient, text);
		check_part(&line.original, text);
		check_part(&line.login, text);
	}
	free(text);
	return 0;
}
