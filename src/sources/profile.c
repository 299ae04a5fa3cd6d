#include "sources/profile.h"

#include <string.h>

#include "base/error.h"
#include "sources/readers.h"
#include "wire/varint.h"

/* ---- recognising ---- */

static bool begins(const unsigned char *head, size_t length, const char *with)
{
	size_t n = strlen(with);
	return length >= n && memcmp(head, with, n) == 0;
}

/* The texts of debug=1 and the binary CPU profile of gperftools, which Go wrote before 1.9. */
static bool is_legacy(const unsigned char *head, size_t length)
{
	static const char *const TEXTS[] = {"heap profile: ", "--- mutex:", "--- contention:", "threadcreate profile: "};
	static const unsigned char GPERFTOOLS[24] = {[8] = 3};
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
		if (begins(head, length, TEXTS[i]))
			return true;
	return length >= sizeof GPERFTOOLS && memcmp(head, GPERFTOOLS, sizeof GPERFTOOLS) == 0;
}

/* One field of a message: its number, its value or length, the place behind these; NULL: there is none. */
static const uint8_t *field_at(const uint8_t *p, const uint8_t *end, uint64_t *field, uint64_t *wire, uint64_t *value)
{
	p = stw_varint_get(p, end, field);
	if (!p)
		return NULL;
	*wire = *field & 7;
	*field >>= 3;
	return stw_varint_get(p, end, value);
}

/* Two small numbers: the indices of a type's and a unit's name. */
static bool is_value_type(const uint8_t *p, const uint8_t *end)
{
	uint64_t field, wire, value;
	while (p && p < end) {
		p = field_at(p, end, &field, &wire, &value);
		if (!p || field < 1 || field > 2 || wire != 0)
			return false;
	}
	return p != NULL;
}

/* A message has no mark of its own. But every writer begins with the sample types, or with the few other fields that stand alone; and
 * no text has a newline, a short length and then a backspace or so. */
static bool is_profile(const unsigned char *head, size_t length)
{
	enum { FIELDS = 8, SAMPLE_TYPE = 1, VALUE_TYPE_MAX = 22, VARINT = 0, BYTES = 2 };
	static const uint16_t NUMBERS = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 14, MESSAGES = 1 << 1 | 1 << 11 | 1 << 13;
	const uint8_t *p = head, *end = head + length;
	uint64_t field, wire, value;
	for (int i = 0; i < FIELDS; i++) {
		p = field_at(p, end, &field, &wire, &value);
		if (!p || field > 14 || (wire != VARINT && wire != BYTES) || !((wire == BYTES ? MESSAGES : NUMBERS) >> field & 1))
			return false;
		if (wire == BYTES && (value > VALUE_TYPE_MAX || value > (uint64_t)(end - p)))
			return false;
		if (field == SAMPLE_TYPE)
			return value > 0 && is_value_type(p, p + value);
		p += wire == BYTES ? value : 0;
	}
	return false;
}

static bool recognise(const unsigned char *head, size_t length)
{
	return is_profile(head, length) || is_legacy(head, length);
}

/* ---- what kind of profile it is ---- */

static size_t type_named(const stw_profile *p, const char *type, const char *unit)
{
	for (size_t i = 0; i < p->n_types; i++)
		if ((!type || strcmp(p->types[i].type, type) == 0) && (!unit || strcmp(p->types[i].unit, unit) == 0))
			return i;
	return p->n_types;
}

/* Mutex and block profiles have the same types. But who is charged differs: who unlocks, or who waits. */
static stw_profile_kind kind_of_contention(const stw_profile *p)
{
	size_t unlocking = 0;
	for (size_t i = 0; i < p->n_samples; i++) {
		stw_profile_walk walk = {0};
		const stw_profile_frame *leaf = stw_profile_next(p, &p->samples[i], &walk);
		const char *name = leaf ? p->functions[leaf->function].name : "";
		unlocking += strstr(name, "nlock") || strstr(name, "_LostContended");
	}
	if (p->n_samples == 0)
		return STW_PROFILE_CONTENTION;
	return unlocking * 2 > p->n_samples ? STW_PROFILE_MUTEX : STW_PROFILE_BLOCK;
}

static void classify(stw_profile *p)
{
	size_t none = p->n_types;
	p->count = type_named(p, NULL, "count");
	p->weight = none;
	if (strcmp(p->period_type.type, "trace") == 0) {
		p->weight = type_named(
			p, "delay", NULL); /* of a trace (stwatch profile, go tool trace): waits of another kind than its types say */
	} else if (type_named(p, "contentions", "count") < none && type_named(p, "delay", NULL) < none) {
		p->kind = kind_of_contention(p);
		p->weight = type_named(p, "delay", NULL);
	} else if (type_named(p, "cpu", "nanoseconds") < none) {
		p->kind = STW_PROFILE_CPU;
		p->weight = type_named(p, "cpu", "nanoseconds");
	} else if (type_named(p, "inuse_space", "bytes") < none) {
		p->kind = STW_PROFILE_HEAP;
		p->count = type_named(p, "inuse_objects", "count");
		p->weight = type_named(p, "inuse_space", "bytes");
	} else if (type_named(p, "goroutine", NULL) < none) {
		p->kind = STW_PROFILE_GOROUTINE;
	} else if (type_named(p, "threadcreate", NULL) < none) {
		p->kind = STW_PROFILE_THREADS;
	} else if (none > 0) {
		p->weight = none - 1; /* the last is what pprof itself shows */
	}
	if (p->weight == none)
		p->weight = p->count;
}

static stwatch_status read(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	static const struct {
		const char *kind, *words;
	} NAMES[] = {
		[STW_PROFILE_OTHER] = {"pprof", "profile"},
		[STW_PROFILE_CPU] = {"pprof-cpu", "CPU profile"},
		[STW_PROFILE_CONTENTION] = {"pprof-contention", "mutex or block profile"},
		[STW_PROFILE_MUTEX] = {"pprof-mutex", "mutex profile"},
		[STW_PROFILE_BLOCK] = {"pprof-block", "block profile"},
		[STW_PROFILE_GOROUTINE] = {"pprof-goroutine", "goroutine profile"},
		[STW_PROFILE_HEAP] = {"pprof-heap", "heap profile"},
		[STW_PROFILE_THREADS] = {"pprof-threadcreate", "profile of thread creation"},
	};
	unsigned char head[STW_HEAD_SIZE];
	size_t got;
	stw_profile *p;
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	if (status == STWATCH_OK && is_legacy(head, got))
		return stw_fail(error, STWATCH_ERR_UNSUPPORTED, 0,
			"a profile in an old or textual form (a profile.proto was expected: ask the endpoint without debug=1)");
	if (status == STWATCH_OK)
		status = stw_profile_read(c, source, cancel, &p, error);
	if (status != STWATCH_OK)
		return status;
	classify(p);
	p->words = NAMES[p->kind].words;
	c->kind = NAMES[p->kind].kind;
	c->format = "profile.proto";
	c->has_start = p->kind == STW_PROFILE_CPU && p->time_unix_ns != 0; /* the others are of one moment */
	c->start_unix_ns = p->time_unix_ns;
	c->duration_ns = p->duration_ns ? p->duration_ns : STWATCH_UNKNOWN;
	c->parts[STW_PART_PROFILE] = p;
	return STWATCH_OK;
}

const stw_companion_reader stw_reader_profile = {
	.expected = "a pprof profile",
	.part = STW_PART_PROFILE,
	.recognise = recognise,
	.read = read,
	.describe = stw_profile_describe,
};

/* ---- asking ---- */

const stw_profile *stw_profile_among(const stw_companions *all, stw_profile_kind kind, const stw_companion **from)
{
	for (size_t i = 0; i < all->count; i++) {
		const stw_profile *p = stw_companion_profile(all->items[i]);
		if (!p || p->kind != kind)
			continue;
		if (from)
			*from = all->items[i];
		return p;
	}
	return NULL;
}

const stw_profile_frame *stw_profile_next(const stw_profile *p, const stw_profile_sample *s, stw_profile_walk *walk)
{
	while (walk->location < s->n) {
		const stw_profile_location *l = &p->locations[p->stacks[s->first + walk->location]];
		if (walk->frame < l->n)
			return &p->frames[l->first + walk->frame++];
		walk->location++;
		walk->frame = 0;
	}
	return NULL;
}

static int64_t value_of(const stw_profile *p, const stw_profile_sample *s, size_t type)
{
	return type < p->n_types ? s->values[type] : 0;
}

enum { IS_FUNCTION = 1, IS_ROOT = 2, IS_PASSED_OVER = 4, IS_CALL = 8 };

/* What is known of a function while a question is answered. */
typedef struct answer {
	uint8_t marks; /* IS_… */
	int64_t leaf_weight, call_weight;
} answer;

/* The assembly and wrappers through which a program enters the kernel. */
static bool is_call(const char *name)
{
	static const char *const NAMES[] = {"syscall.Syscall", "syscall.RawSyscall", "syscall.rawVforkSyscall", "syscall.rawSyscallNoError",
		"syscall.runtime_entersyscall", "runtime/internal/syscall.", "internal/runtime/syscall", "golang.org/x/sys/unix.Syscall",
		"golang.org/x/sys/unix.RawSyscall"};
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (strncmp(name, NAMES[i], strlen(NAMES[i])) == 0)
			return true;
	return false;
}

static void mark(const stw_profile *p, const stw_profile_query *q, answer *answers)
{
	for (size_t i = 0; i < p->n_functions; i++) {
		const char *name = p->functions[i].name;
		answers[i].marks = (uint8_t)((strcmp(name, q->function) == 0 ? IS_FUNCTION : 0) |
			(q->root && strcmp(name, q->root) == 0 ? IS_ROOT : 0) |
			(q->passed_over && q->passed_over(name) ? IS_PASSED_OVER : 0) | (is_call(name) ? IS_CALL : 0));
	}
}

static void take_sample(
	const stw_profile *p, const stw_profile_query *q, const stw_profile_sample *s, answer *answers, stw_profile_share *share)
{
	const uint8_t wanted = q->root ? IS_FUNCTION | IS_ROOT : IS_FUNCTION;
	const int64_t weight = value_of(p, s, p->weight), count = value_of(p, s, p->count);
	stw_profile_walk walk = {0};
	const stw_profile_frame *f, *leaf = NULL, *call = NULL;
	uint8_t found = 0;
	bool in_call = true; /* so far all frames belong to the way into the kernel */
	while ((f = stw_profile_next(p, s, &walk)) != NULL) {
		uint8_t marks = answers[f->function].marks;
		if (in_call && (marks & IS_CALL))
			call = f;
		else if (in_call && call) /* who called it names it: syscall.write */
			call = f;
		in_call = in_call && (marks & IS_CALL);
		if (!leaf && !(marks & IS_PASSED_OVER))
			leaf = f;
		found |= q->line == 0 || f->line == q->line ? marks : marks & IS_ROOT;
	}
	share->all += weight;
	share->all_count += count;
	if ((found & wanted) != wanted)
		return;
	share->count += count;
	share->weight += weight;
	if (leaf)
		answers[leaf->function].leaf_weight += weight;
	if (call) {
		answers[call->function].call_weight += weight;
		share->call_weight += weight;
	}
}

bool stw_profile_ask(const stw_profile *p, stw_mem *mem, const stw_profile_query *query, stw_profile_share *share)
{
	int64_t most = 0;
	*share = (stw_profile_share){0};
	answer *answers = stw_mem_zalloc(mem, p->n_functions * sizeof *answers);
	if (!answers)
		return false;
	mark(p, query, answers);
	for (size_t i = 0; i < p->n_samples; i++)
		take_sample(p, query, &p->samples[i], answers, share);
	for (size_t i = 0; i < p->n_functions; i++) {
		if (answers[i].leaf_weight > share->leaf_weight) {
			share->leaf = p->functions[i].name;
			share->leaf_weight = answers[i].leaf_weight;
		}
		if (answers[i].call_weight > most) {
			share->call = p->functions[i].name;
			most = answers[i].call_weight;
		}
	}
	stw_mem_free(mem, answers, p->n_functions * sizeof *answers);
	return true;
}
