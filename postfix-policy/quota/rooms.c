/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/rooms.h"

#include <stdlib.h>
#include <string.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

enum {
	SETS = 1024,
	WAYS = 4,		/* places in a set */
	RENEWAL = 250		/* ms that the first caller's answer may take */
};

struct place {
	char *mailbox;		/* NULL: empty */
	uint64_t size, until_ms;
};

struct quota_rooms {
	unsigned ttl;
	struct keyed_hash hash;
	struct place sets[SETS][WAYS];	/* a mailbox has a set of its hash */
};

struct quota_rooms *quota_rooms_new(unsigned ttl)
{
	struct quota_rooms *rooms = xcalloc(1, sizeof(*rooms));

	rooms->ttl = ttl;
	keyed_hash_init(&rooms->hash);
	return rooms;
}

void quota_rooms_free(struct quota_rooms **_rooms)
{
	struct quota_rooms *rooms = *_rooms;

	*_rooms = NULL;
	if (rooms == NULL)
		return;
	for (size_t i = 0; i < SETS * WAYS; i++)
		free(rooms->sets[i / WAYS][i % WAYS].mailbox);
	free(rooms);
}

static bool is_there(const struct place *place, const char *mailbox)
{
	return place->mailbox != NULL && strcmp(place->mailbox, mailbox) == 0;
}

/* The mailbox's place, or the one that it may take: the oldest of its set. */
static struct place *place_of(struct quota_rooms *rooms, const char *mailbox)
{
	struct place *set =
		rooms->sets[keyed_hash(&rooms->hash, mailbox, strlen(mailbox)) % SETS];
	struct place *oldest = set;

	for (struct place *place = set; place < set + WAYS; place++) {
		if (is_there(place, mailbox))
			return place;
		if (place->until_ms < oldest->until_ms)
			oldest = place;
	}
	return oldest;
}

void quota_rooms_note(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		      enum quota_answer answer, uint64_t now_ms)
{
	struct place *place = place_of(rooms, mailbox);

	if (answer == QUOTA_FULL && is_there(place, mailbox))
		place->until_ms = 0;
	if (answer != QUOTA_ROOM || rooms->ttl == 0)
		return;
	free(place->mailbox);
	*place = (struct place){ xstrdup(mailbox), size, now_ms + rooms->ttl };
}

bool quota_rooms_has(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		     uint64_t now_ms)
{
	struct place *place = place_of(rooms, mailbox);

	if (!is_there(place, mailbox) || size > place->size)
		return false;
	if (now_ms < place->until_ms)
		return true;
	if (now_ms - place->until_ms < RENEWAL)
		place->until_ms = now_ms + RENEWAL;
	return false;
}
