/* A critical path for scripts: docs/schema/path.json. */
#include "output/path_views.h"

static void text_or_null(stw_json *json, const char *key, const char *text)
{
	stw_json_key_string(json, key, text && *text ? text : NULL);
}

static void kinds_json(const int64_t *kind_ns, stw_json *json)
{
	stw_json_key(json, "kinds");
	stw_json_row(json);
	for (unsigned kind = 1; kind < STWATCH_PATH_KINDS; kind++)
		stw_json_key_int(json, stwatch_path_kind_name((stwatch_path_kind)kind), kind_ns[kind]);
	stw_json_object_end(json);
}

static void shares_json(const stwatch_path_share *shares, size_t n, stw_json *json)
{
	stw_json_key(json, "shares");
	stw_json_array(json);
	for (size_t i = 0; i < n; i++) {
		const stwatch_path_share *s = &shares[i];
		stw_json_row(json);
		stw_json_key_string(json, "kind", stwatch_path_kind_name(s->kind));
		text_or_null(json, "function", s->function);
		text_or_null(json, "root", s->root);
		text_or_null(json, "what", s->what);
		stw_json_key_int_or_null(json, "goroutine", s->goroutine, STWATCH_NONE);
		stw_json_key_bool(json, "own", s->own);
		stw_json_key_uint(json, "count", s->count);
		stw_json_key_int(json, "total_ns", s->total_ns);
		stw_json_key_int(json, "max_ns", s->max_ns);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void procs_json(const stwatch_path_procs *p, stw_json *json)
{
	stw_json_key(json, "procs");
	if (!p->cause) {
		stw_json_null(json);
		return;
	}
	stw_json_row(json);
	stw_json_key_string(json, "cause", p->cause);
	stw_json_key_int(json, "running_ns", p->running_ns);
	stw_json_key_int(json, "gc_ns", p->gc_ns);
	stw_json_key_int(json, "syscall_ns", p->syscall_ns);
	stw_json_key_int(json, "idle_ns", p->idle_ns);
	stw_json_key_string(json, "function", p->function);
	stw_json_key_int(json, "function_ns", p->function_ns);
	stw_json_object_end(json);
}

static void waiter_json(const stwatch_path_segment *s, stw_json *json)
{
	stw_json_key(json, "waiter");
	if (s->waiter == STWATCH_NONE) {
		stw_json_null(json);
		return;
	}
	stw_json_row(json);
	stw_json_key_int(json, "goroutine", s->waiter);
	text_or_null(json, "function", s->waiter_function);
	text_or_null(json, "what", s->waiter_what);
	stw_json_object_end(json);
}

static void segments_json(const stw_path_input *in, stw_json *json)
{
	stw_json_key(json, "segments");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_segments; i++) {
		const stwatch_path_segment *s = &in->segments[i];
		stw_json_row(json);
		stw_json_key_int(json, "from_ns", s->from_ns);
		stw_json_key_int(json, "to_ns", s->to_ns);
		stw_json_key_string(json, "kind", stwatch_path_kind_name(s->kind));
		stw_json_key_int(json, "goroutine", s->goroutine);
		text_or_null(json, "function", s->function);
		text_or_null(json, "leaf", s->leaf);
		text_or_null(json, "root", s->root);
		text_or_null(json, "file", s->file);
		stw_json_key_uint(json, "line", s->line);
		text_or_null(json, "what", s->what);
		stw_json_key_uint(json, "depth", s->depth);
		waiter_json(s, json);
		procs_json(&s->procs, json);
		stw_json_key_uint(json, "merged", s->merged);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void chosen_json(const stw_path_input *in, stw_json *json)
{
	const stwatch_path_span *s = in->chosen;
	stw_json_key(json, "path");
	if (!s) {
		stw_json_null(json);
		return;
	}
	stw_json_object(json);
	stw_json_key_string(json, "subject", stwatch_path_subject_name(in->subject));
	stw_json_key_string(json, "name", s->name);
	stw_json_key_uint(json, "id", s->id);
	stw_json_key_int(json, "goroutine", s->goroutine);
	stw_json_key_uint(json, "nth", in->nth);
	stw_json_key_int(json, "start_ns", s->from_ns);
	stw_json_key_int(json, "duration_ns", s->to_ns - s->from_ns);
	stw_json_key_bool(json, "began", !s->open_begin);
	stw_json_key_bool(json, "ended", !s->open_end);
	kinds_json(in->kind_ns, json);
	shares_json(in->shares, in->n_shares, json);
	segments_json(in, json);
	stw_json_object_end(json);
}

static void all_json(const stw_path_input *in, stw_json *json)
{
	const stwatch_path_summary *a = in->all;
	stw_json_key(json, "all");
	if (!in->chosen) {
		stw_json_null(json);
		return;
	}
	stw_json_object(json);
	stw_json_key_uint(json, "count", a->count);
	stw_json_key_int(json, "p50_ns", a->p50_ns);
	stw_json_key_int(json, "p99_ns", a->p99_ns);
	stw_json_key_int(json, "max_ns", a->max_ns);
	stw_json_key_int(json, "total_ns", a->total_ns);
	stw_json_key_uint(json, "followed", a->followed);
	kinds_json(a->kind_ns, json);
	shares_json(a->shares, a->n_shares, json);
	stw_json_object_end(json);
}

static void choices_json(const stw_path_input *in, stw_json *json)
{
	stw_json_key(json, "choices");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_choices; i++) {
		const stwatch_path_choice *c = &in->choices[i];
		stw_json_row(json);
		stw_json_key_string(json, "subject", stwatch_path_subject_name(c->subject));
		text_or_null(json, "name", c->name);
		stw_json_key_int_or_null(json, "id", c->subject == STWATCH_PATH_GOROUTINE ? (int64_t)c->id : -1, -1);
		stw_json_key_uint(json, "count", c->count);
		stw_json_key_int(json, "total_ns", c->total_ns);
		stw_json_key_int(json, "max_ns", c->max_ns);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

void stw_output_path_json(const stw_path_input *in, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "schema", "stwatch.path/1");
	stw_output_inputs_json(&in->common, json);
	chosen_json(in, json);
	all_json(in, json);
	choices_json(in, json);
	stw_output_limits_json(&in->common, json);
	stw_json_object_end(json);
}
