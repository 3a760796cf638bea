/* SPDX-License-Identifier: MIT */
/* Addresses as policy clients send them, and what Postfix may make of them. */
#include "common/readings.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void check_reading(const struct reading *reading,
			  const struct reading_settings *settings)
{
	const char *domain = reading_domain(reading);

	/* Only an empty address stays without a domain. */
	if (*reading->text != '\0' && *settings->myorigin != '\0')
		HOLDS(strchr(reading->text, '@') != NULL);
	HOLDS(strchr(domain, '@') == NULL);
	HOLDS(domain == reading->text + strlen(reading->text) - strlen(domain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const origins[] = { "", "origin", "origin.test", "origin.test." };
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	struct reading_settings settings = { choice % 2 == 1, choice / 2 % 2 == 1,
					     origins[choice / 4 % 4],
					     choice / 16 % 2 == 1 ? "my.test" : "" };
	struct readings readings, again;
	char *text = calloc(1, feed.size + 1);

	if (feed.size > 0)
		memcpy(text, feed.data, feed.size);
	if (readings_make(&readings, text, &settings)) {
		fuzz_reached();
		HOLDS(readings.count >= 1 && readings.count <= READINGS_MAX);
		HOLDS(!readings.items[0].if_local);
		for (size_t i = 0; i < readings.count; i++) {
			check_reading(&readings.items[i], &settings);
			/* From the first local domain on, each needs the one before. */
			HOLDS(i < 2 || readings.items[i].if_local ||
			      !readings.items[i - 1].if_local);
		}
		/* The same each time. */
		HOLDS(readings_make(&again, text, &settings));
		HOLDS(again.count == readings.count);
		readings_free(&again);
	}
	readings_free(&readings);
	free(text);
	return 0;
}
