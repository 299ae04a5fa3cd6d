/* The critical path: a first look at what there is, a choice, and a second look backwards through what it waited for. */
#include "api/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "output/path_print.h"

/* ROOM: stays of the past that are kept at once, 56 bytes each; FOLLOWED: of many with one name. */
enum { ROOM = 1 << 20, FOLLOWED_MOST = 1000 };

void stwatch_path_options_init(stwatch_path_options *options)
{
	*options = (stwatch_path_options){.size = sizeof *options, .goroutine = STWATCH_NONE, .at_ns = STWATCH_UNKNOWN};
}

void stwatch_path_free(stwatch_path *x)
{
	if (!x)
		return;
	stw_mem *mem = x->mem;
	stw_ways_free(&x->ways);
	stw_choices_free(&x->choices);
	stw_spots_free(&x->spots);
	stw_vec_free(mem, &x->begins);
	stw_vec_free(mem, &x->segments);
	stw_vec_free(mem, &x->shares);
	stw_vec_free(mem, &x->all_shares);
	stw_vec_free(mem, &x->listed);
	stw_told_free(&x->told);
	stw_mem_free(mem, x, sizeof *x);
}

/* ---- the first look ---- */

static bool look(void *user, stw_stream *stream, const stw_stream_event *e)
{
	stwatch_path *x = user;
	if (stw_told_event(&x->told, stream, e) && x->told.fresh)
		x->begins.items[stw_stream_at(stream)] = e->time;
	stw_choices_add(&x->choices, stream, e);
	return !x->choices.failed && !x->spots.failed;
}

static bool on_damage(void *user, const stw_stream *stream, const stwatch_error *error)
{
	stwatch_path *x = user;
	return stw_told_damage(&x->told, stream, error);
}

static void on_gap(void *user)
{
	stwatch_path *x = user;
	stw_choices_break(&x->choices);
}

static stwatch_status look_at_all(stwatch_path *x, const stwatch_context *context, stwatch_error *error)
{
	const stw_walk walk = {.event = look, .damage = on_damage, .gap = on_gap, .user = x};
	const size_t n = x->told.trace.spans.count;
	if (!stw_vec_reserve(x->mem, &x->begins, n))
		return stw_fail_memory(error);
	for (size_t i = 0; i < n; i++)
		x->begins.items[x->begins.count++] = INT64_MAX;
	stwatch_status status = stw_told_walk(&x->told, context, &walk, error);
	stw_choices_break(&x->choices);
	return x->choices.failed || x->spots.failed ? stw_fail_memory(error) : status;
}

/* ---- the choice ---- */

static int longest_first(const void *x, const void *y)
{
	const stw_chosen *a = x, *b = y;
	int64_t long_a = a->end - a->begin, long_b = b->end - b->begin;
	if (long_a != long_b)
		return long_a < long_b ? 1 : -1;
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* Of those under way at a time, the one that began last. */
static size_t under_way(const stwatch_path *x, int64_t at)
{
	size_t found = SIZE_MAX;
	const stw_chosen *items = x->choices.chosen.items;
	for (size_t i = 0; i < x->choices.chosen.count; i++)
		if (items[i].begin <= at && at <= items[i].end && (found == SIZE_MAX || items[i].begin > items[found].begin))
			found = i;
	return found;
}

static stwatch_status choose(stwatch_path *x, size_t *index, stwatch_error *error)
{
	const stwatch_path_options *o = &x->options;
	const size_t n = x->choices.chosen.count;
	const char *what = stwatch_path_subject_name(o->subject);
	if (n == 0 && o->subject == STWATCH_PATH_GOROUTINE)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET,
			"no goroutine %lld (without --goroutine, what there is is listed)", (long long)o->goroutine);
	if (n == 0)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "no %s \"%.200s\" (without --%s, what there is is listed)",
			o->subject == STWATCH_PATH_FUNCTION ? "goroutine was started with" : what, o->name ? o->name : "", what);
	if (n > 1)
		qsort(x->choices.chosen.items, n, sizeof *x->choices.chosen.items, longest_first);
	if (o->at_ns != STWATCH_UNKNOWN) {
		*index = under_way(x, x->told.first + o->at_ns);
		if (*index == SIZE_MAX)
			return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "none of %zu was under way at that time", n);
	} else {
		*index = o->nth ? (size_t)o->nth - 1 : 0;
		if (*index >= n)
			return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "there are only %zu", n);
	}
	return STWATCH_OK;
}

static int64_t ranked(const stwatch_path *x, double share)
{
	const size_t n = x->choices.chosen.count;
	size_t rank = (size_t)((double)n * share);
	const stw_chosen *s = &x->choices.chosen.items[n - 1 - (rank < n ? rank : n - 1)];
	return s->end - s->begin;
}

/* Of all with the name; they stand by length. */
static void sum_up(stwatch_path *x)
{
	const size_t n = x->choices.chosen.count;
	x->all.count = n + x->choices.left_out;
	for (size_t i = 0; i < n; i++)
		x->all.total_ns += x->choices.chosen.items[i].end - x->choices.chosen.items[i].begin;
	x->all.p50_ns = ranked(x, 0.5);
	x->all.p99_ns = ranked(x, 0.99);
	x->all.max_ns = ranked(x, 1);
}

/* The chosen one's path first; of many, those evenly spread by their lengths. */
static bool want_ways(stwatch_path *x, size_t index)
{
	const size_t n = x->choices.chosen.count, step = (n + FOLLOWED_MOST - 1) / FOLLOWED_MOST;
	const stw_chosen *items = x->choices.chosen.items;
	bool ok = stw_ways_add(&x->ways, items[index].begin, items[index].end, items[index].g, true);
	for (size_t i = 0; i < n && ok; i += step)
		if (i != index)
			ok = stw_ways_add(&x->ways, items[i].begin, items[i].end, items[i].g, false);
	return ok;
}

/* ---- the public functions ---- */

static stwatch_status follow(stwatch_path *x, const stwatch_context *context, stwatch_error *error)
{
	size_t index = 0;
	stwatch_status status = choose(x, &index, error);
	if (status != STWATCH_OK)
		return status;
	sum_up(x);
	x->chosen = stw_path_span_of(x, &x->choices.chosen.items[index]);
	x->nth = index + 1;
	x->ways.procs = x->choices.procs > 0 ? x->choices.procs : 1;
	if (!want_ways(x, index))
		return stw_fail_memory(error);
	status = stw_ways_follow(&x->ways, &x->told.trace, x->begins.items, context->cancel, error);
	if (status != STWATCH_OK)
		return status;
	x->has_chosen = true;
	x->all.followed = x->ways.ways.count;
	for (size_t i = 0; i < x->ways.ways.count; i++)
		for (unsigned kind = 0; kind < STWATCH_PATH_KINDS; kind++)
			x->all.kind_ns[kind] += x->ways.ways.items[i].kind_ns[kind];
	return stw_path_word(x) ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status run(stwatch_path *x, stwatch_context *context, const char *const *paths, size_t n_paths, stwatch_error *error)
{
	stwatch_status status = stw_told_open(&x->told, context, paths, n_paths, error);
	if (status != STWATCH_OK)
		return status;
	status = look_at_all(x, context, error);
	if (status == STWATCH_OK && x->options.subject != STWATCH_PATH_ANY)
		status = follow(x, context, error);
	bool readable = status == STWATCH_OK || status == STWATCH_ERR_CANCELLED;
	if (readable && (!stw_path_list(x) || !stw_told_conclude(&x->told, status == STWATCH_ERR_CANCELLED)))
		status = stw_fail_memory(error);
	x->summary.gomaxprocs_max = x->choices.procs;
	stw_path_tell_limits(x);
	return stw_told_verdict(&x->told, status, error);
}

stwatch_status stwatch_path_read(stwatch_context *context, const char *const *paths, size_t n_paths, const stwatch_path_options *options,
	stwatch_path **out, stwatch_error *error)
{
	stwatch_error local;
	error = stw_error_begin(error, &local);
	*out = NULL;
	stwatch_path *x = stw_mem_zalloc(&context->mem, sizeof *x);
	if (!x)
		return stw_fail_memory(error);
	x->mem = &context->mem;
	stw_told_init(&x->told, x->mem);
	stw_spots_init(&x->spots, x->mem);
	stw_ways_init(&x->ways, x->mem, &x->spots, ROOM);
	stwatch_path_options_init(&x->options);
	stw_options_take(&x->options, sizeof x->options, options);
	bool ok = stw_told_keep(&x->told, &x->options.name);
	stw_choices_init(&x->choices, x->mem, &x->spots, &x->options);
	stwatch_status status = ok ? run(x, context, paths, n_paths, error) : stw_fail_memory(error);
	if (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_CANCELLED)
		*out = x;
	else
		stwatch_path_free(x);
	return status;
}

const stwatch_input *stwatch_path_inputs(const stwatch_path *x, size_t *count)
{
	*count = x->told.inputs.count;
	return x->told.inputs.items;
}

const char *const *stwatch_path_limits(const stwatch_path *x, size_t *count)
{
	*count = x->n_limits;
	return x->limits;
}

const stwatch_path_span *stwatch_path_chosen(const stwatch_path *x)
{
	return x->has_chosen ? &x->chosen : NULL;
}

const stwatch_path_segment *stwatch_path_segments(const stwatch_path *x, size_t *count)
{
	*count = x->segments.count;
	return x->segments.items;
}

const stwatch_path_share *stwatch_path_shares(const stwatch_path *x, size_t *count)
{
	*count = x->shares.count;
	return x->shares.items;
}

const int64_t *stwatch_path_kinds(const stwatch_path *x)
{
	static const int64_t NOTHING[STWATCH_PATH_KINDS];
	return x->has_chosen ? x->ways.ways.items[0].kind_ns : NOTHING;
}

const stwatch_path_summary *stwatch_path_all(const stwatch_path *x)
{
	return &x->all;
}

const stwatch_path_choice *stwatch_path_choices(const stwatch_path *x, size_t *count)
{
	*count = x->listed.count;
	return x->listed.items;
}

stwatch_status stwatch_path_print(
	const stwatch_path *x, stwatch_path_format format, const stwatch_print_options *options, stwatch_sink_fn sink, void *user)
{
	const stw_path_input in = {
		.common = {.inputs = x->told.inputs.items,
			.n_inputs = x->told.inputs.count,
			.summary = &x->summary,
			.limits = x->limits,
			.n_limits = x->n_limits},
		.subject = x->options.subject,
		.chosen = stwatch_path_chosen(x),
		.nth = x->nth,
		.segments = x->segments.items,
		.n_segments = x->segments.count,
		.shares = x->shares.items,
		.n_shares = x->shares.count,
		.kind_ns = stwatch_path_kinds(x),
		.all = &x->all,
		.choices = x->listed.items,
		.n_choices = x->listed.count,
	};
	return stw_output_path_print(&in, format, options, sink, user);
}
