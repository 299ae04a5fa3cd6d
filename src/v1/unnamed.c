#include "v1/unnamed.h"

#include <stdio.h>

#include "base/error.h"
#include "v1/cursor.h"

enum { WINDOW = 64 << 10, STEPS = 4096 };

typedef struct search {
	const stw_v1_index *index;
	const stw_source *source;
	const volatile int *cancel;
	stw_map there; /* numbers of the table */
	uint64_t n_events; /* that name what is not */
	uint32_t highest; /* number of those */
	stwatch_error *error;
} search;

static void look_at(search *s, uint64_t id)
{
	if ((uint32_t)id == 0 || stw_map_get(&s->there, (uint32_t)id) != STW_MAP_NONE)
		return;
	s->n_events++;
	s->highest = (uint32_t)id > s->highest ? (uint32_t)id : s->highest;
}

static stwatch_status look_through(search *s, uint32_t proc, uint8_t *window, size_t room)
{
	const stw_v1_index *x = s->index;
	stw_v1_cursor c;
	stwatch_status status;
	stwatch_error told;
	stw_v1_cursor_open(&c, x, proc, window, room);
	for (unsigned n = 1; (status = stw_v1_cursor_next(&c, x, s->source, &told)) == STWATCH_OK || status == STWATCH_ERR_DAMAGED; n++) {
		if (n % STEPS == 0 && s->cancel && *s->cancel) {
			status = stw_fail(&told, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
			break;
		}
		if (status != STWATCH_OK)
			continue;
		look_at(s, c.stack);
		if (c.type == STW_V1_GoCreate && x->format.minor >= 7)
			look_at(s, c.a[1]);
	}
	stw_v1_cursor_close(&c, x->mem);
	if (status == STWATCH_END)
		return STWATCH_OK;
	*s->error = told;
	return status;
}

static stwatch_status look_through_all(search *s)
{
	const stw_v1_index *x = s->index;
	stwatch_status status = STWATCH_OK;
	for (uint32_t i = 0; status == STWATCH_OK && i < x->procs.count; i++) {
		const size_t room = stw_v1_cursor_room(x, i, WINDOW);
		uint8_t *window = stw_mem_resize(x->mem, NULL, 0, room);
		status = window ? look_through(s, i, window, room) : stw_fail_memory(s->error);
		stw_mem_free(x->mem, window, window ? room : 0);
	}
	for (size_t i = 0; i < x->samples.count; i++)
		look_at(s, x->samples.items[i].stack);
	return status;
}

stwatch_status stw_v1_unnamed_find(stw_v1_index *x, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	search s = {.index = x, .source = source, .cancel = cancel, .error = error};
	uint32_t last = 0;
	bool ok = true;
	stw_map_init(&s.there, x->mem);
	for (size_t i = 0; ok && i < x->stacks.count; i++) {
		const uint32_t id = x->stacks.items[i].id;
		last = id > last ? id : last;
		ok = stw_map_put(&s.there, id, 0);
	}
	const bool whole = last > 0 && s.there.count == last;
	stwatch_status status = !ok ? stw_fail_memory(error) : whole ? STWATCH_OK : look_through_all(&s);
	if (s.n_events) {
		x->unnamed.offset = x->end;
		snprintf(x->unnamed.what, sizeof x->unnamed.what,
			"stacks are missing: %llu events name some that their table does not have, up to number %u (it has %u, and all "
			"were expected "
			"before this byte); their functions are unknown",
			(unsigned long long)s.n_events, s.highest, s.there.count);
	}
	stw_map_free(&s.there);
	return status;
}

stwatch_status stw_v1_unnamed_tell(const stw_v1_index *x, stwatch_error *error)
{
	return *x->unnamed.what ? stw_fail(error, STWATCH_ERR_DAMAGED, x->unnamed.offset, "%s", x->unnamed.what) : STWATCH_OK;
}
