#include "output/events_go.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/transition.h"

static void field_int(stw_sink *out, const char *name, int64_t value)
{
	stw_sink_text(out, name);
	stw_sink_int(out, value);
}

static void field_text(stw_sink *out, const char *name, const char *data, size_t length)
{
	stw_sink_text(out, name);
	stw_sink_quote(out, data, length);
}

static stw_string string_of(const stw_stream *s, uint64_t id)
{
	uint32_t i = stw_generation_string(&s->gen, id);
	return i == STW_MAP_NONE ? (stw_string){"", 0, 0} : s->gen.strings.items[i];
}

static void print_value(stw_sink *out, uint64_t value)
{
	stw_sink_text(out, "Value{Uint64(");
	stw_sink_uint(out, value);
	stw_sink_text(out, ")}");
}

static void print_stack(stw_sink *out, const stw_stream *s, uint64_t id, const char *title)
{
	stw_sink_text(out, "\n");
	stw_sink_text(out, title);
	stw_sink_text(out, "=\n");
	uint32_t index = stw_generation_stack(&s->gen, id);
	if (id == 0 || index == STW_MAP_NONE)
		return;
	const stw_v2_stack *stack = &s->gen.stacks.items[index];
	for (uint32_t i = 0; i < stack->count; i++) {
		const stw_v2_frame *f = stw_generation_frame(&s->gen, stack, i);
		const stw_string *func = &s->gen.strings.items[f->func], *file = &s->gen.strings.items[f->file];
		stw_sink_text(out, "\t");
		stw_sink_put(out, func->data, func->length);
		stw_sink_text(out, " @ 0x");
		stw_sink_hex(out, f->pc);
		stw_sink_text(out, "\n\t\t");
		stw_sink_put(out, file->data, file->length);
		stw_sink_text(out, ":");
		stw_sink_uint(out, f->line);
		stw_sink_text(out, "\n");
	}
}

static void print_metric(stw_sink *out, const stw_stream_event *e)
{
	const char *name = e->type == STW_EV_ProcsChange ? "/sched/gomaxprocs:threads"
		: e->type == STW_EV_HeapAlloc            ? "/memory/classes/heap/objects:bytes"
							 : "/gc/heap/goal:bytes";
	field_text(out, " Name=", name, strlen(name));
	stw_sink_text(out, " Value=");
	print_value(out, e->a[0]);
}

static void print_range(stw_sink *out, const stw_stream *s, const stw_stream_event *e)
{
	stw_sink_text(out, " Name=");
	switch (e->type) {
	case STW_EV_STWBegin:
	case STW_EV_STWEnd: {
		static const char before[] = "stop-the-world (";
		char name[sizeof before + STW_V2_MAX_STRING];
		stw_slice kind = stw_intern_get(&s->order.names, (uint32_t)e->a[0]);
		size_t n = sizeof before - 1;
		memcpy(name, before, n);
		memcpy(name + n, kind.data, kind.length); /* any bytes, zero among them */
		name[n + kind.length] = ')';
		stw_sink_quote(out, name, n + kind.length + 1);
		field_int(out, " Scope=Goroutine(", e->g);
		break;
	}
	case STW_EV_GCBegin:
	case STW_EV_GCActive:
	case STW_EV_GCEnd: stw_sink_text(out, "\"GC concurrent mark phase\" Scope=None"); break;
	case STW_EV_GCSweepBegin:
	case STW_EV_GCSweepActive:
	case STW_EV_GCSweepEnd:
		field_int(out, "\"GC incremental sweep\" Scope=Proc(", e->type == STW_EV_GCSweepActive ? (int64_t)e->a[0] : e->p);
		break;
	default: field_int(out, "\"GC mark assist\" Scope=Goroutine(", e->type == STW_EV_GCMarkAssistActive ? (int64_t)e->a[0] : e->g);
	}
	if (e->type != STW_EV_GCBegin && e->type != STW_EV_GCActive && e->type != STW_EV_GCEnd)
		stw_sink_text(out, ")");
	if (stw_event_spec_of(e->type)->kind != STWATCH_EVENT_RANGE_END)
		return;
	stw_sink_text(out, " Attributes=[");
	if (e->type == STW_EV_GCSweepEnd) {
		stw_sink_text(out, "\"bytes swept\"=");
		print_value(out, e->a[0]);
		stw_sink_text(out, " \"bytes reclaimed\"=");
		print_value(out, e->a[1]);
	}
	stw_sink_text(out, "]");
}

static void print_annotation(stw_sink *out, const stw_stream *s, const stw_stream_event *e)
{
	stw_string a, b;
	switch (e->type) {
	case STW_EV_UserTaskBegin:
		a = string_of(s, e->a[2]);
		stw_sink_text(out, " ID=");
		stw_sink_uint(out, e->a[0]);
		stw_sink_text(out, " Parent=");
		stw_sink_uint(out, e->a[1]);
		field_text(out, " Type=", a.data, a.length);
		break;
	case STW_EV_UserTaskEnd: {
		stw_slice name = stw_intern_get(&s->order.names, (uint32_t)e->a[3]);
		stw_sink_text(out, " ID=");
		stw_sink_uint(out, e->a[0]);
		stw_sink_text(out, " Parent=");
		stw_sink_uint(out, e->a[2]);
		field_text(out, " Type=", name.data, name.length);
		break;
	}
	case STW_EV_UserRegionBegin:
	case STW_EV_UserRegionEnd:
		a = string_of(s, e->a[1]);
		stw_sink_text(out, " Task=");
		stw_sink_uint(out, e->a[0]);
		field_text(out, " Type=", a.data, a.length);
		break;
	default:
		a = string_of(s, e->a[1]);
		b = string_of(s, e->a[2]);
		stw_sink_text(out, " Task=");
		stw_sink_uint(out, e->a[0]);
		field_text(out, " Category=", a.data, a.length);
		field_text(out, " Message=", b.data, b.length);
	}
}

static void print_experimental(stw_sink *out, const stw_stream_event *e)
{
	const stw_event_spec *spec = stw_event_spec_of(e->type);
	const char *arg = spec->args;
	stw_sink_text(out, " Name=");
	stw_sink_text(out, spec->name);
	stw_sink_text(out, " Args=[");
	for (unsigned i = 0; i < spec->n_args; i++) {
		size_t n = strcspn(arg, " ");
		if (i)
			stw_sink_text(out, ", ");
		stw_sink_put(out, arg, n);
		stw_sink_text(out, "=");
		print_value(out, e->a[i]);
		arg += n + (arg[n] == ' ');
	}
	stw_sink_text(out, "]");
}

/* Days since 1970 to a date (proleptic Gregorian); gmtime would do, but is not required to take every int64. */
static void print_wall(stw_sink *out, int64_t sec, int64_t nsec)
{
	char text[64];
	struct tm tm;
	sec += nsec / 1000000000;
	nsec %= 1000000000;
	time_t t = (time_t)sec;
	if (!gmtime_r(&t, &tm)) {
		stw_sink_int(out, sec);
		return;
	}
	size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	stw_sink_put(out, text, n);
	if (nsec > 0) {
		int m = snprintf(text, sizeof text, ".%09lld", (long long)nsec);
		while (m > 0 && text[m - 1] == '0')
			m--;
		stw_sink_put(out, text, (size_t)m);
	}
	stw_sink_text(out, "Z");
}

static void print_sync(stw_sink *out, const stw_stream *s, const stw_stream_event *e)
{
	stw_sink_text(out, " N=");
	stw_sink_uint(out, e->a[0]);
	if (!e->has_generation || !s->gen.has_clock)
		return;
	field_int(out, " Trace=", stw_generation_ns(&s->gen, s->gen.clock_time));
	stw_sink_text(out, " Mono=");
	stw_sink_uint(out, s->gen.clock_mono);
	stw_sink_text(out, " Wall=");
	print_wall(out, s->gen.clock_sec, s->gen.clock_nsec);
}

static void print_transition(stw_sink *out, const stw_stream *s, const stw_transition *t)
{
	field_int(out, t->proc ? " ProcID=" : " GoID=", t->id);
	stw_sink_text(out, " ");
	stw_sink_text(out, t->proc ? stw_proc_state_name(t->from) : stw_go_state_name(t->from));
	stw_sink_text(out, "->");
	stw_sink_text(out, t->proc ? stw_proc_state_name(t->to) : stw_go_state_name(t->to));
	stw_string reason = t->has_reason ? string_of(s, t->reason) : (stw_string){"", 0, 0};
	field_text(out, " Reason=", reason.data, reason.length);
}

void stw_events_go_details(stw_sink *out, const stw_stream *s, const stw_stream_event *e)
{
	stw_string label;
	stw_transition t;
	switch (stw_stream_kind(e)) {
	case STWATCH_EVENT_METRIC: print_metric(out, e); break;
	case STWATCH_EVENT_LABEL:
		label = string_of(s, e->a[0]);
		field_text(out, " Label=", label.data, label.length);
		field_int(out, " Resource=Goroutine(", e->g);
		stw_sink_text(out, ")");
		break;
	case STWATCH_EVENT_RANGE_BEGIN:
	case STWATCH_EVENT_RANGE_ACTIVE:
	case STWATCH_EVENT_RANGE_END: print_range(out, s, e); break;
	case STWATCH_EVENT_TASK_BEGIN:
	case STWATCH_EVENT_TASK_END:
	case STWATCH_EVENT_REGION_BEGIN:
	case STWATCH_EVENT_REGION_END:
	case STWATCH_EVENT_LOG: print_annotation(out, s, e); break;
	case STWATCH_EVENT_STATE_TRANSITION:
		t = stw_transition_of(e);
		print_transition(out, s, &t);
		break;
	case STWATCH_EVENT_EXPERIMENTAL: print_experimental(out, e); break;
	case STWATCH_EVENT_SYNC: print_sync(out, s, e); break;
	default: break;
	}
}

void stw_events_go_print(stw_sink *out, const stw_stream *s, const stw_stream_event *e)
{
	uint64_t stack;
	field_int(out, "M=", e->m);
	field_int(out, " P=", e->p);
	field_int(out, " G=", e->g);
	stw_sink_text(out, " ");
	stw_sink_text(out, stw_event_kind_name(stw_stream_kind(e)));
	field_int(out, " Time=", e->time);
	stw_events_go_details(out, s, e);
	if (stw_stream_kind(e) == STWATCH_EVENT_STATE_TRANSITION) {
		stw_transition t = stw_transition_of(e);
		if (t.has_stack)
			print_stack(out, s, t.stack, "TransitionStack");
	}
	if (stw_event_stack(e, &stack))
		print_stack(out, s, stack, "Stack");
	stw_sink_text(out, "\n");
}
