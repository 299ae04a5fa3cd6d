#include "engine/feed.h"

/* A reason's number, remembered beside its string for as long as the generation lasts. */
static uint32_t reason_of(stw_timeline *t, stw_generation *gen, uint64_t id)
{
	uint32_t index = stw_generation_string(gen, id);
	if (index == STW_MAP_NONE || index == 0)
		return 0;
	stw_string *text = &gen->strings.items[index];
	if (!text->note)
		text->note = stw_timeline_reason(t, text->data, text->length);
	return text->note;
}

static uint64_t stack_of(const stw_stream_event *e)
{
	const int8_t index = stw_event_spec_of(e->type)->stack;
	return index >= 0 && index < 4 ? e->a[index] : 0;
}

bool stw_feed(stw_timeline *t, stw_stream *stream, const stw_stream_event *e)
{
	stw_timeline_event out = {
		.time = e->time, .m = e->m, .p = e->p, .g = e->g, .a = {e->a[0], e->a[1], e->a[2], e->a[3]}, .type = e->type};
	if (e->type == STW_EV_GoBlock || e->type == STW_EV_GoStop)
		out.reason = reason_of(t, stw_stream_tables(stream), e->a[0]);
	out.stack = stack_of(e);
	return stw_timeline_add(t, &out);
}
