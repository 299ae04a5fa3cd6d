#include "output/json_views.h"

static void key_uint_if(stw_json *json, const char *key, uint64_t value, bool known)
{
	stw_json_key(json, key);
	if (known)
		stw_json_uint(json, value);
	else
		stw_json_null(json);
}

static void problem_json(const stwatch_problem *problem, stw_json *json)
{
	stw_json_row(json);
	stw_json_key(json, "offset");
	if (problem->offset == STWATCH_NO_OFFSET)
		stw_json_null(json);
	else
		stw_json_uint(json, problem->offset);
	stw_json_key_string(json, "what", problem->what);
	stw_json_object_end(json);
}

static void input_json(const stwatch_input *input, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "file", input->file);
	stw_json_key_string(json, "kind", input->kind);
	stw_json_key_string(json, "format", input->format);
	stw_json_key_uint(json, "bytes", input->bytes);
	bool is_trace = stw_output_is_trace(input);
	key_uint_if(json, "events", input->events, is_trace);
	key_uint_if(json, "generations", input->generations, is_trace);
	stw_json_key(json, "start_time");
	char wall[STW_WALL_MAX];
	stw_json_string(json, input->has_start_time ? stw_output_wall_time(wall, input->start_unix_ns) : NULL);
	stw_json_key_int_or_null(json, "duration_ns", input->duration_ns, STWATCH_UNKNOWN);
	stw_json_key_int_or_null(json, "start_ns", input->start_ns, STWATCH_UNKNOWN);
	key_uint_if(json, "repeated_generations", input->repeated_generations, is_trace);
	stw_json_key_bool(json, "complete", input->complete);
	stw_json_key(json, "problems");
	stw_json_array(json);
	for (size_t i = 0; i < input->n_problems; i++)
		problem_json(&input->problems[i], json);
	stw_json_array_end(json);
	stw_json_object_end(json);
}

void stw_output_inputs_json(const stw_output_input *in, stw_json *json)
{
	stw_json_key(json, "inputs");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_inputs; i++)
		input_json(&in->inputs[i], json);
	stw_json_array_end(json);
}

void stw_output_settings_json(const stwatch_settings *settings, stw_json *json)
{
	stw_json_key(json, "settings");
	stw_json_object(json);
	const stwatch_setting *setting;
	for (size_t i = 0; (setting = stwatch_setting_at(i)) != NULL; i++) {
		stw_json_key(json, setting->option);
		if (setting->unit == STWATCH_UNIT_PERMILLE)
			stw_json_double(json, (double)settings->values[i] / 10);
		else
			stw_json_int(json, settings->values[i]);
	}
	stw_json_object_end(json);
}

void stw_output_limits_json(const stw_output_input *in, stw_json *json)
{
	stw_json_key(json, "limits");
	stw_json_array(json);
	for (size_t i = 0; i < in->n_limits; i++)
		stw_json_string(json, in->limits[i]);
	stw_json_array_end(json);
}

/* A part that only a trace has: its key, and null where there is none. */
static bool begin_part(stw_json *json, const char *key, const stwatch_summary *summary)
{
	stw_json_key(json, key);
	if (!summary->known)
		stw_json_null(json);
	return summary->known;
}

/* A figure that only a trace has, unless another input gave it. */
static void key_figure(stw_json *json, const char *key, uint64_t value, const stwatch_summary *summary)
{
	key_uint_if(json, key, value, summary->known || value != 0);
}

static void stw_rows_json(const stwatch_summary *summary, stw_json *json)
{
	if (!begin_part(json, "stw", summary))
		return;
	stw_json_array(json);
	for (size_t i = 0; i < summary->n_stw; i++) {
		const stwatch_stw_row *row = &summary->stw[i];
		stw_json_row(json);
		stw_json_key_string(json, "kind", row->kind);
		stw_json_key_uint(json, "count", row->count);
		stw_json_key_int(json, "total_ns", row->total_ns);
		stw_json_key_int(json, "max_ns", row->max_ns);
		stw_json_key_int_or_null(json, "stopping_max_ns", row->stopping_max_ns, -1);
		stw_json_key_bool(json, "inferred", row->inferred);
		stw_json_key_string(json, "whose", row->whose);
		stw_json_key_uint(json, "during_gc", row->during_gc);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void latency_json(const stwatch_summary *summary, stw_json *json)
{
	const struct {
		const char *key;
		int64_t value;
	} points[] = {
		{"p50", summary->sched_p50_ns},
		{"p90", summary->sched_p90_ns},
		{"p99", summary->sched_p99_ns},
		{"p999", summary->sched_p999_ns},
		{"max", summary->sched_max_ns},
	};
	stw_json_key(json, "sched_latency_ns");
	stw_json_row(json);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		stw_json_key(json, points[i].key);
		if (summary->sched_waits)
			stw_json_int(json, points[i].value);
		else
			stw_json_null(json); /* of no waits there is no percentile */
	}
	stw_json_object_end(json);
}

static void workers_json(const stwatch_summary *summary, stw_json *json)
{
	static const char *const modes[] = {"dedicated", "fractional", "idle"};
	stw_json_key(json, "gc_worker_ns");
	stw_json_row(json);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		key_figure(json, modes[i], (uint64_t)summary->gc_worker_ns[i], summary);
	stw_json_object_end(json);
}

static void polled_json(const stwatch_summary *summary, stw_json *json)
{
	const struct {
		const char *key;
		int64_t value;
	} delays[] = {
		{"mean_ns", summary->polled_mean_ns},
		{"p50_ns", summary->polled_p50_ns},
		{"p99_ns", summary->polled_p99_ns},
		{"max_ns", summary->polled_max_ns},
	};
	stw_json_key(json, "network_wakeups");
	stw_json_row(json);
	key_figure(json, "count", summary->polled, summary);
	key_figure(json, "by_sysmon", summary->polled_late, summary);
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		stw_json_key(json, delays[i].key);
		if (summary->polled)
			stw_json_int(json, delays[i].value);
		else
			stw_json_null(json);
	}
	stw_json_object_end(json);
}

static void procs_json(const stwatch_summary *summary, stw_json *json)
{
	if (!begin_part(json, "procs", summary))
		return;
	stw_json_array(json);
	for (size_t i = 0; i < summary->n_procs; i++) {
		const stwatch_proc_row *row = &summary->procs[i];
		stw_json_row(json);
		stw_json_key_int(json, "proc", row->proc);
		stw_json_key_int(json, "running_ns", row->running_ns);
		stw_json_key_int(json, "gc_ns", row->gc_ns);
		stw_json_key_int(json, "syscall_ns", row->syscall_ns);
		stw_json_key_int(json, "spinning_ns", row->spinning_ns);
		stw_json_key_int(json, "idle_ns", row->idle_ns);
		stw_json_key_int(json, "stopped_ns", row->stopped_ns);
		stw_json_key_uint(json, "starts", row->starts);
		stw_json_key(json, "starts_per_s");
		stw_json_double(json, row->starts_per_s);
		stw_json_key_uint(json, "polled", row->polled);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void event_counts_json(const stwatch_summary *summary, stw_json *json)
{
	if (!begin_part(json, "event_counts", summary))
		return;
	stw_json_object(json);
	for (size_t i = 0; i < summary->n_event_counts; i++)
		stw_json_key_uint(json, summary->event_counts[i].name, summary->event_counts[i].count);
	stw_json_object_end(json);
}

static void points_json(const stwatch_mmu_point *points, size_t n, stw_json *json)
{
	stw_json_array(json);
	for (size_t i = 0; i < n; i++) {
		stw_json_row(json);
		stw_json_key_int(json, "window_ns", points[i].window_ns);
		stw_json_key(json, "utilisation");
		stw_json_double(json, points[i].utilisation);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void mmu_json(const stwatch_summary *summary, stw_json *json)
{
	if (begin_part(json, "mmu", summary))
		points_json(summary->mmu, summary->n_mmu, json);
}

/* What can be drawn. */
static void drawn_json(const stwatch_summary *summary, stw_json *json)
{
	stw_json_key(json, "mmu_curve");
	if (summary->mmu_curve)
		points_json(summary->mmu_curve, summary->n_mmu_curve, json);
	else
		stw_json_null(json);
	if (!begin_part(json, "sched_latency", summary))
		return;
	stw_json_array(json);
	for (size_t i = 0; i < summary->n_sched_latency; i++) {
		stw_json_row(json);
		stw_json_key_int(json, "from_ns", summary->sched_latency[i].from_ns);
		stw_json_key_int(json, "to_ns", summary->sched_latency[i].to_ns);
		stw_json_key_uint(json, "count", summary->sched_latency[i].count);
		stw_json_object_end(json);
	}
	stw_json_array_end(json);
}

static void proc_idle_share_json(const stwatch_summary *summary, stw_json *json)
{
	stw_json_key(json, "proc_idle_share");
	if (summary->proc_idle_share < 0 || !summary->known)
		stw_json_null(json);
	else
		stw_json_double(json, summary->proc_idle_share);
}

void stw_output_summary_json(const stwatch_summary *summary, stw_json *json)
{
	stw_json_key(json, "summary");
	stw_json_object(json);
	stw_rows_json(summary, json);
	key_figure(json, "gc_cycles", (uint64_t)summary->gc_cycles, summary);
	key_figure(json, "gc_mark_ns", (uint64_t)summary->gc_mark_ns, summary);
	key_figure(json, "gc_assist_ns", (uint64_t)summary->gc_assist_ns, summary);
	stw_json_key_int_or_null(json, "gomaxprocs_max", summary->gomaxprocs_max, 0);
	stw_json_key_int_or_null(json, "gomaxprocs_last", summary->gomaxprocs_last, 0);
	key_figure(json, "goroutines_seen", (uint64_t)summary->goroutines_seen, summary);
	key_figure(json, "goroutines_created", (uint64_t)summary->goroutines_created, summary);
	key_figure(json, "goroutines_ended", (uint64_t)summary->goroutines_ended, summary);
	key_figure(json, "goroutines_max", (uint64_t)summary->goroutines_max, summary);
	latency_json(summary, json);
	key_figure(json, "sched_waits", (uint64_t)summary->sched_waits, summary);
	proc_idle_share_json(summary, json);
	key_figure(json, "runqueue_max", (uint64_t)summary->runqueue_max, summary);
	key_figure(json, "cpu_samples", (uint64_t)summary->cpu_samples, summary);
	key_figure(json, "syscalls", (uint64_t)summary->syscalls, summary);
	key_figure(json, "threads", (uint64_t)summary->threads, summary);
	key_uint_if(json, "heap_max_bytes", summary->heap_max_bytes, summary->heap_max_bytes != 0);
	key_uint_if(json, "heap_goal_last_bytes", summary->heap_goal_last_bytes, summary->heap_goal_last_bytes != 0);
	key_uint_if(json, "heap_live_last_bytes", summary->heap_live_last_bytes, summary->heap_live_last_bytes != 0);
	key_figure(json, "gc_mark_stopped_ns", (uint64_t)summary->gc_mark_stopped_ns, summary);
	workers_json(summary, json);
	polled_json(summary, json);
	procs_json(summary, json);
	event_counts_json(summary, json);
	mmu_json(summary, json);
	stw_json_object_end(json);
}

void stw_output_stat_json(const stw_output_input *in, stw_json *json)
{
	stw_json_object(json);
	stw_json_key_string(json, "schema", "stwatch.stat/1");
	stw_output_inputs_json(in, json);
	stw_output_settings_json(in->settings, json);
	stw_output_summary_json(in->summary, json);
	drawn_json(in->summary, json);
	stw_output_sources_json(in, json);
	stw_output_limits_json(in, json);
	stw_json_object_end(json);
}
