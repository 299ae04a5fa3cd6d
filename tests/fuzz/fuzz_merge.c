/* Generations read as a trace's first and as its later ones, in each way there is: the short way through the merge
 * must give what the full rules give, event by event, and word the same error at the same place. */
#include "reading.h"

#include <string.h>

static void require_same(const reading *a, const reading *b)
{
	if (a->status == STWATCH_ERR_MEMORY || b->status == STWATCH_ERR_MEMORY)
		return;
	REQUIRE(a->events == b->events);
	REQUIRE(a->whole == b->whole);
	REQUIRE(a->status == b->status);
	REQUIRE(a->status == STWATCH_END || (a->error.offset == b->error.offset && strcmp(a->error.message, b->error.message) == 0));
}

static void read_all(stage *s)
{
	stw_order orders[3];
	stw_generation gen;
	stw_scan scan;
	stw_read_mode mode = STW_READ_INITIAL;
	for (int way = 0; way < 3; way++)
		stw_order_init(&orders[way], &s->mem);
	stw_scan_init(&scan, &s->source, s->version);
	while (stage_next(s, &scan, &gen)) {
		reading first = read_generation(&orders[0], &gen, mode, READ_SINGLY);
		for (int way = 1; way < 3; way++) {
			reading other = read_generation(&orders[way], &gen, mode, (reading_way)way);
			require_same(&first, &other);
		}
		stw_generation_free(&gen);
		mode = STW_READ_EXACT;
		for (int way = 0; way < 3 && first.status != STWATCH_END; way++) {
			mode = STW_READ_INITIAL;
			stw_order_reset(&orders[way]);
		}
	}
	for (int way = 0; way < 3; way++)
		stw_order_free(&orders[way]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stage s;
	if (stage_open(&s, data, size)) {
		read_all(&s);
		stage_close(&s);
	}
	return 0;
}
