#include "api/told.h"

#include <string.h>

#include "base/error.h"

void stw_told_init(stw_told *t, stw_mem *mem)
{
	memset(t, 0, sizeof *t);
	stw_arena_init(&t->arena, mem);
}

void stw_told_free(stw_told *t)
{
	stw_vec_free(t->arena.mem, &t->problems);
	stw_arena_free(&t->arena);
}

static void note_start(stw_told *t, const stw_generation *gen)
{
	t->input.has_start_time = gen->has_clock;
	if (gen->has_clock)
		t->input.start_unix_ns = gen->clock_sec * 1000000000 + gen->clock_nsec -
			(stw_generation_ns(gen, gen->clock_time) - t->first);
}

bool stw_told_event(stw_told *t, const stw_stream *stream, const stw_stream_event *e)
{
	t->input.events++;
	if (e->type == STW_EV_SYNC_POINT) {
		t->input.generations += e->has_generation;
		t->pending |= e->has_generation;
		return false;
	}
	if (!t->begun) {
		t->first = e->time;
		t->begun = true;
		note_start(t, &stream->gen);
	}
	t->fresh = t->pending;
	t->pending = false;
	t->last = e->time;
	return true;
}

bool stw_told_problem(stw_told *t, uint64_t offset, const char *what)
{
	for (size_t i = 0; i < t->problems.count; i++)
		if (t->problems.items[i].offset == offset && strcmp(t->problems.items[i].what, what) == 0)
			return true;
	const char *copy = stw_arena_copy(&t->arena, what, strlen(what));
	stwatch_problem *p = copy ? stw_vec_push(t->arena.mem, &t->problems) : NULL;
	if (p)
		*p = (stwatch_problem){offset, copy};
	return p != NULL;
}

bool stw_told_conclude(stw_told *t, const stw_trace *trace, const char *path, bool cancelled)
{
	bool ok = true;
	for (size_t i = 0; i < trace->problems.count; i++)
		ok = ok && stw_told_problem(t, trace->problems.items[i].offset, trace->problems.items[i].what);
	t->input.file = stw_arena_copy(&t->arena, path, strlen(path));
	t->input.format = stw_arena_printf(&t->arena, "go1.%d", (int)trace->version);
	t->input.kind = "go-trace";
	t->input.bytes = trace->inputs[0].source.file_size;
	t->input.duration_ns = t->last - t->first;
	t->input.complete = t->problems.count == 0 && !cancelled;
	t->input.problems = t->problems.items;
	t->input.n_problems = t->problems.count;
	return ok && t->input.file && t->input.format;
}

stwatch_status stw_told_verdict(const stw_told *t, stwatch_status status, stwatch_error *error)
{
	if (status != STWATCH_OK || t->problems.count == 0)
		return status;
	return stw_fail(error, STWATCH_ERR_DAMAGED, t->problems.items[0].offset, "%s", t->problems.items[0].what);
}
