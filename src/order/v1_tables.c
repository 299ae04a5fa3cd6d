#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "order/v1.h"

static const char *const words[STW_V1_WORDS] = {
	[STW_V1_WORD_FOREVER] = "forever",
	[STW_V1_WORD_PREEMPTED] = "preempted",
	[STW_V1_WORD_GOSCHED] = "runtime.Gosched",
	[STW_V1_WORD_SLEEP] = "sleep",
	[STW_V1_WORD_SEND] = "chan send",
	[STW_V1_WORD_RECEIVE] = "chan receive",
	[STW_V1_WORD_NETWORK] = "network",
	[STW_V1_WORD_SYNC] = "sync",
	[STW_V1_WORD_COND] = "sync.(*Cond).Wait",
	[STW_V1_WORD_SELECT] = "select",
	[STW_V1_WORD_NONE] = "",
	[STW_V1_WORD_ASSIST] = "GC mark assist wait for work",
};

/* runtime/proc.go of Go 1.21, stwReasonStrings. */
static const char *const stop_kinds[STW_V1_STOP_KINDS] = {
	"",
	"GC mark termination",
	"GC sweep termination",
	"write heap dump",
	"goroutine profile",
	"goroutine profile cleanup",
	"all goroutine stack trace",
	"read mem stats",
	"AllThreadsSyscall",
	"GOMAXPROCS",
	"start trace",
	"stop trace",
	"CountPagesInUse (test)",
	"ReadMetricsSlow (test)",
	"ReadMemStatsSlow (test)",
	"PageCachePagesLeaked (test)",
	"ResetDebugLog (test)",
};

const char *stw_v1_stop_kind(unsigned minor, uint64_t number)
{
	if (minor < 21) /* to Go 1.20 it tells the two of the collector; to 1.9 there is but one */
		return number < 2 ? stop_kinds[number + 1] : "";
	return number < STW_V1_STOP_KINDS ? stop_kinds[number] : "";
}

int64_t stw_v1_ns(const stw_v1 *v1, int64_t ticks)
{
	double ns = (double)(int64_t)((uint64_t)ticks - (uint64_t)v1->index.first_ticks) * v1->ns_per_tick;
	return ns < 9223372036854775808.0 && ns >= -9223372036854775808.0 ? (int64_t)ns : INT64_MIN; /* as amd64, and so Go's reader */
}

void stw_v1_place(stw_v1 *v1, int64_t ticks, double ns_per_tick, int64_t last)
{
	const int64_t first = v1->index.first_ticks;
	v1->index.first_ticks = ticks;
	v1->ns_per_tick = ns_per_tick;
	v1->begin_ns = stw_v1_ns(v1, first);
	v1->end_ns = stw_v1_ns(v1, last);
	for (size_t i = 0; i < v1->gen.samples.count; i++)
		v1->gen.samples.items[i].time = stw_v1_ns(v1, v1->index.samples.items[i].ticks);
}

int64_t stw_v1_missing_to(const stw_v1 *v1)
{
	int64_t ticks = v1->index.whole_from;
	return ticks == INT64_MIN || ticks == INT64_MAX ? ticks : stw_v1_ns(v1, ticks);
}

bool stw_v1_preempts(const stw_v1 *v1)
{
	static const char sign[] = "runtime.asyncPreempt";
	bool found = v1->index.format.minor >= 19;
	for (size_t i = 0; !found && v1->index.format.minor == 11 && i < v1->gen.strings.count; i++) {
		const stw_string *s = &v1->gen.strings.items[i];
		found = s->length == sizeof sign - 1 && memcmp(s->data, sign, sizeof sign - 1) == 0;
	}
	return found;
}

static bool add_string(stw_generation *gen, uint64_t id, const char *data, uint32_t length, uint32_t *index)
{
	stw_string *s = stw_vec_push(gen->mem, &gen->strings);
	if (!s)
		return false;
	*s = (stw_string){data, length, 0};
	*index = (uint32_t)gen->strings.count - 1;
	return stw_map_put(&gen->string_ids.map, id, *index);
}

static bool add_strings(stw_v1 *v1)
{
	stw_generation *gen = &v1->gen;
	uint64_t most = 0;
	uint32_t index;
	if (!stw_vec_reserve(gen->mem, &gen->strings, v1->index.strings.count + STW_V1_WORDS + 2))
		return false;
	gen->strings.items[gen->strings.count++] = (stw_string){"", 0, 0};
	for (size_t i = 0; i < v1->index.strings.count; i++) {
		const stw_v1_string *s = &v1->index.strings.items[i];
		if (!add_string(gen, s->id, s->data, s->length, &index))
			return false;
		most = s->id > most ? s->id : most;
	}
	for (unsigned i = 0; i < STW_V1_WORDS + 1; i++) { /* ids that none of the file's has */
		do
			most++;
		while (most == 0 || stw_map_get(&gen->string_ids.map, most) != STW_MAP_NONE);
		const char *word = i < STW_V1_WORDS ? words[i] : "";
		if (!add_string(gen, most, word, (uint32_t)strlen(word), &index))
			return false;
		if (i == STW_V1_WORDS) {
			v1->text_id = most;
			v1->text = index;
		} else {
			v1->words[i].id = most;
			v1->words[i].string = index;
		}
	}
	return true;
}

static uint32_t string_index(const stw_generation *gen, uint64_t id)
{
	uint32_t index = id ? stw_map_get(&gen->string_ids.map, id) : 0;
	return index == STW_MAP_NONE ? 0 : index;
}

static int by_id(const void *a, const void *b)
{
	const stw_v1_stack *x = a, *y = b;
	return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->first > y->first) - (x->first < y->first);
}

static bool add_stacks(stw_v1 *v1)
{
	stw_generation *gen = &v1->gen;
	const stw_v1_index *x = &v1->index;
	if (!stw_vec_reserve(gen->mem, &gen->stacks, x->stacks.count + 1) || !stw_vec_reserve(gen->mem, &gen->frames, x->frames.count) ||
		!stw_vec_reserve(gen->mem, &gen->stack_frames, x->stack_frames.count))
		return false;
	gen->stacks.items[gen->stacks.count++] = (stw_v2_stack){0};
	for (size_t i = 0; i < x->frames.count; i++) {
		const stw_v1_frame *f = &x->frames.items[i];
		gen->frames.items[gen->frames.count++] = (stw_v2_frame){
			.pc = f->pc,
			.line = f->line,
			.func_id = f->func,
			.file_id = f->file,
			.func = string_index(gen, f->func),
			.file = string_index(gen, f->file),
		};
	}
	if (x->stack_frames.count)
		memcpy(gen->stack_frames.items, x->stack_frames.items, x->stack_frames.count * sizeof *x->stack_frames.items);
	gen->stack_frames.count = x->stack_frames.count;
	if (x->stacks.count) /* in order of their ids, which then are their indices */
		qsort(v1->index.stacks.items, x->stacks.count, sizeof *x->stacks.items, by_id);
	for (size_t i = 0; i < x->stacks.count; i++) {
		const stw_v1_stack *s = &x->stacks.items[i];
		stw_v2_stack stack = {s->first, s->count, {0, 0}};
		uint32_t old = stw_map_get(&gen->stack_ids.map, s->id);
		if (old != STW_MAP_NONE) { /* the last one holds, as in Go's reader */
			gen->stacks.items[old] = stack;
			continue;
		}
		gen->stacks.items[gen->stacks.count] = stack;
		if (!stw_map_put(&gen->stack_ids.map, s->id, (uint32_t)gen->stacks.count++))
			return false;
	}
	return true;
}

static bool add_samples(stw_v1 *v1)
{
	stw_generation *gen = &v1->gen;
	const stw_v1_index *x = &v1->index;
	if (!stw_vec_reserve(gen->mem, &gen->samples, x->samples.count))
		return false;
	for (size_t i = 0; i < x->samples.count; i++) {
		const stw_v1_sample *s = &x->samples.items[i];
		gen->samples.items[gen->samples.count++] = (stw_cpu_sample){.time = stw_v1_ns(v1, s->ticks),
			.m = STWATCH_NONE,
			.p = s->p,
			.g = s->g ? (int64_t)s->g : STWATCH_NONE,
			.stack = stw_generation_stack(gen, s->stack) == STW_MAP_NONE ? 0 : s->stack};
	}
	return true;
}

static bool make_tables(stw_v1 *v1)
{
	stw_generation *gen = &v1->gen;
	gen->mem = v1->mem;
	gen->version = STW_GO122; /* its events, as they are handed on */
	gen->number = 1;
	stw_arena_init(&gen->arena, v1->mem);
	stw_map_init(&gen->string_ids.map, v1->mem);
	stw_map_init(&gen->stack_ids.map, v1->mem);
	stw_map_init(&gen->pcs, v1->mem);
	if (!add_strings(v1) || !add_stacks(v1) || !stw_ids_index(v1->mem, &gen->string_ids) || !stw_ids_index(v1->mem, &gen->stack_ids) ||
		!add_samples(v1))
		return false;
	for (size_t i = 0; i < v1->index.timers.count; i++)
		if (!stw_map_put(&v1->timers, v1->index.timers.items[i], 0))
			return false;
	for (size_t i = 0; i < v1->index.starts.count; i++)
		if (!stw_map_put(&v1->roots, v1->index.starts.items[i].pc, v1->index.starts.items[i].stack))
			return false;
	stw_v1_index *x = &v1->index;
	stw_vec_free(x->mem, &x->strings);
	stw_vec_free(x->mem, &x->stacks);
	stw_vec_free(x->mem, &x->stack_frames);
	stw_vec_free(x->mem, &x->frames);
	stw_vec_free(x->mem, &x->timers);
	stw_vec_free(x->mem, &x->starts);
	return true;
}

static bool tell_missing(stw_v1 *v1)
{
	const int64_t to = stw_v1_missing_to(v1);
	char what[STWATCH_MESSAGE_MAX];
	if (to == INT64_MIN)
		return true;
	if (to == INT64_MAX)
		snprintf(what, sizeof what,
			"events of some procs may be missing all along: what they wrote last may stand before the beginning of the file");
	else
		snprintf(what, sizeof what, "events of some procs may be missing up to %+.3f ms", (double)to / 1e6);
	return stw_v1_index_problem(&v1->index, 0, what);
}

stwatch_status stw_v1_open(stw_v1 *v1, stw_mem *mem, const stw_source *source, const stw_v1_entry *entry, const stw_namer *namer,
	unsigned threads, const volatile int *cancel, stwatch_error *error)
{
	stw_v1_index index;
	memset(v1, 0, sizeof *v1);
	stwatch_status status = stw_v1_index_read(&index, mem, source, entry, threads, cancel, error);
	return status == STWATCH_OK ? stw_v1_open_read(v1, mem, source, &index, namer, error) : status;
}

stwatch_status stw_v1_open_read(
	stw_v1 *v1, stw_mem *mem, const stw_source *source, stw_v1_index *index, const stw_namer *namer, stwatch_error *error)
{
	memset(v1, 0, sizeof *v1);
	v1->index = *index;
	index->mem = NULL;
	v1->mem = mem;
	v1->gen.source = source;
	v1->ns_per_tick = v1->index.frequency ? 1e9 / (double)v1->index.frequency : 1;
	stw_map_init(&v1->timers, mem);
	stw_map_init(&v1->roots, mem);
	if (tell_missing(v1) && (!namer || stw_v1_index_name(&v1->index, namer)) && make_tables(v1))
		return STWATCH_OK;
	stw_v1_close(v1);
	return stw_fail_memory(error);
}

void stw_v1_close(stw_v1 *v1)
{
	if (!v1->mem)
		return;
	stw_v1_index_free(&v1->index);
	stw_generation_free(&v1->gen);
	stw_map_free(&v1->timers);
	stw_map_free(&v1->roots);
	v1->mem = NULL;
}
