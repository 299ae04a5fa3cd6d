/* The wire format of a profile, field by field. A profile is one protobuf message; its top level is walked here, with bounds of our own and so
 * that a cut file gives what came before the cut; what stands in it is unpacked by protobuf-c. Indices are resolved at the end, since
 * tables may follow what uses them. Format: https://github.com/google/pprof, proto/profile.proto. */
#include "sources/profile.h"

#ifdef STWATCH_PROTOBUF

#include <profile.pb-c.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "wire/varint.h"

enum {
	MESSAGE_MAX = 1 << 20, /* of one sample, location, function or text */
	STACK_MAX = 1024, /* locations of a sample */
	INLINED_MAX = 512, /* lines of a location */
	ITEMS_MAX = 16 << 20, /* of anything */
	WINDOW = 64 << 10
};

/* Fields of the top level. */
enum {
	SAMPLE_TYPE = 1,
	SAMPLE = 2,
	MAPPING = 3,
	LOCATION = 4,
	FUNCTION = 5,
	TEXT = 6,
	TIME = 9,
	DURATION = 10,
	PERIOD_TYPE = 11,
	PERIOD = 12
};

typedef struct raw_function {
	int64_t name, file;
} raw_function;

typedef struct raw_frame {
	uint64_t function;
	int64_t line;
} raw_frame;

typedef struct raw_place {
	uint64_t mapping, address; /* of a location */
} raw_place;

typedef struct raw_mapping {
	uint64_t id, start, limit, offset;
} raw_mapping;

typedef struct raw_type {
	int64_t type, unit;
} raw_type;

typedef struct reader {
	stw_companion *c;
	stw_mem *mem;
	const stw_source *source;
	const volatile int *cancel;
	stwatch_error *error;
	ProtobufCAllocator allocator;
	uint64_t offset; /* of the next byte that is not in the buffer */
	uint8_t *buffer;
	size_t capacity, at, filled;
	raw_type types[STW_PROFILE_TYPES_MAX], period_type;
	size_t n_types;
	int64_t time, duration, period;
	STW_VEC(stw_slice) texts;
	STW_VEC(raw_function) functions;
	STW_VEC(raw_frame) frames;
	STW_VEC(stw_profile_location) locations;
	STW_VEC(raw_place) places; /* by location */
	raw_mapping program; /* the first mapping; id 0: there is none */
	STW_VEC(uint64_t) stacks; /* location ids */
	STW_VEC(stw_profile_sample) samples; /* values not set */
	STW_VEC(int64_t) values; /* n_types a sample */
	stw_map function_slots, location_slots;
	bool told[3];
	bool no_memory;
} reader;

/* protobuf-c frees without a size; ours wants one. */
typedef union block {
	size_t size;
	max_align_t align;
} block;

static void *allocate(void *user, size_t size)
{
	reader *r = user;
	block *b = size > SIZE_MAX - sizeof *b ? NULL : stw_mem_resize(r->mem, NULL, 0, size + sizeof *b);
	if (!b) {
		r->no_memory = true; /* else it would look like corrupt data */
		return NULL;
	}
	b->size = size + sizeof *b;
	return b + 1;
}

static void release(void *user, void *pointer)
{
	reader *r = user;
	block *b = pointer;
	if (b)
		stw_mem_free(r->mem, b - 1, b[-1].size);
}

/* Makes n bytes available at `at`; *got is less only at the end of the input. */
static stwatch_status ensure(reader *r, size_t n, size_t *got)
{
	stwatch_status status = STWATCH_OK;
	if (r->filled - r->at < n) {
		memmove(r->buffer, r->buffer + r->at, r->filled - r->at);
		r->filled -= r->at;
		r->at = 0;
		if (n > r->capacity) {
			uint8_t *grown = stw_mem_resize(r->mem, r->buffer, r->capacity, n);
			if (!grown)
				return stw_fail_memory(r->error);
			r->buffer = grown;
			r->capacity = n;
		}
		size_t more = 0;
		status = stw_source_read(r->source, r->offset, r->buffer + r->filled, r->capacity - r->filled, &more, r->error);
		r->offset += more;
		r->filled += more;
	}
	*got = r->filled - r->at;
	return status;
}

static uint64_t position(const reader *r)
{
	return r->offset - (r->filled - r->at);
}

static stwatch_status problem(reader *r, uint64_t offset, const char *what)
{
	return stw_companion_problem(r->c, offset, "%s", what) ? STWATCH_OK : stw_fail_memory(r->error);
}

/* ---- what stands in the fields ---- */

static stwatch_status take_type(reader *r, const uint8_t *data, size_t size, raw_type *out, bool *bad)
{
	Stw__Pb__ValueType *m = stw__pb__value_type__unpack(&r->allocator, size, data);
	*bad = !m;
	if (m)
		*out = (raw_type){m->type, m->unit};
	stw__pb__value_type__free_unpacked(m, &r->allocator);
	return STWATCH_OK;
}

static stwatch_status add_sample_type(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	raw_type type;
	stwatch_status status = take_type(r, data, size, &type, bad);
	if (*bad)
		return status;
	if (r->n_types == STW_PROFILE_TYPES_MAX || r->samples.count > 0) {
		*bad = true;
		return STWATCH_OK;
	}
	r->types[r->n_types++] = type;
	return status;
}

static stwatch_status keep_sample(reader *r, const Stw__Pb__Sample *m)
{
	stw_profile_sample *s = stw_vec_push(r->mem, &r->samples);
	if (!s || !stw_vec_reserve(r->mem, &r->values, r->n_types) || !stw_vec_reserve(r->mem, &r->stacks, m->n_location_id))
		return stw_fail_memory(r->error);
	*s = (stw_profile_sample){.first = (uint32_t)r->stacks.count, .n = (uint32_t)m->n_location_id};
	if (m->n_location_id)
		memcpy(r->stacks.items + r->stacks.count, m->location_id, m->n_location_id * sizeof *m->location_id);
	r->stacks.count += m->n_location_id;
	memcpy(r->values.items + r->values.count, m->value, r->n_types * sizeof *m->value);
	r->values.count += r->n_types;
	return STWATCH_OK;
}

static stwatch_status add_sample(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	Stw__Pb__Sample *m = stw__pb__sample__unpack(&r->allocator, size, data);
	*bad = !m || r->n_types == 0 || m->n_value != r->n_types || m->n_location_id > STACK_MAX || r->samples.count >= ITEMS_MAX ||
		r->stacks.count + m->n_location_id > 4 * (size_t)ITEMS_MAX;
	stwatch_status status = *bad ? STWATCH_OK : keep_sample(r, m);
	stw__pb__sample__free_unpacked(m, &r->allocator);
	return status;
}

static stwatch_status keep_location(reader *r, const Stw__Pb__Location *m)
{
	if (!stw_map_put(&r->location_slots, m->id, (uint32_t)r->locations.count))
		return stw_fail_memory(r->error);
	stw_profile_location *l = stw_vec_push(r->mem, &r->locations);
	if (!l)
		return stw_fail_memory(r->error);
	*l = (stw_profile_location){(uint32_t)r->frames.count, (uint32_t)m->n_line};
	raw_place *place = stw_vec_push(r->mem, &r->places);
	if (!place)
		return stw_fail_memory(r->error);
	*place = (raw_place){m->mapping_id, m->address};
	for (size_t i = 0; i < m->n_line; i++) {
		raw_frame *f = stw_vec_push(r->mem, &r->frames);
		if (!f)
			return stw_fail_memory(r->error);
		*f = (raw_frame){m->line[i]->function_id, m->line[i]->line};
	}
	return STWATCH_OK;
}

static stwatch_status add_location(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	Stw__Pb__Location *m = stw__pb__location__unpack(&r->allocator, size, data);
	*bad = !m || m->id == 0 || m->n_line > INLINED_MAX || r->frames.count >= ITEMS_MAX || r->locations.count >= ITEMS_MAX;
	stwatch_status status = *bad ? STWATCH_OK : keep_location(r, m);
	stw__pb__location__free_unpacked(m, &r->allocator);
	return status;
}

static void add_mapping(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	Stw__Pb__Mapping *m = stw__pb__mapping__unpack(&r->allocator, size, data);
	*bad = !m || m->id == 0;
	if (!*bad && r->program.id == 0)
		r->program = (raw_mapping){m->id, m->memory_start, m->memory_limit, m->file_offset};
	stw__pb__mapping__free_unpacked(m, &r->allocator);
}

static stwatch_status add_function(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	Stw__Pb__Function *m = stw__pb__function__unpack(&r->allocator, size, data);
	stwatch_status status = STWATCH_OK;
	*bad = !m || m->id == 0 || r->functions.count >= ITEMS_MAX;
	if (!*bad) {
		uint32_t slot = (uint32_t)r->functions.count;
		raw_function *f = stw_vec_push(r->mem, &r->functions);
		if (f && stw_map_put(&r->function_slots, m->id, slot))
			*f = (raw_function){m->name, m->filename};
		else
			status = stw_fail_memory(r->error);
	}
	stw__pb__function__free_unpacked(m, &r->allocator);
	return status;
}

static stwatch_status add_text(reader *r, const uint8_t *data, size_t size, bool *bad)
{
	*bad = r->texts.count >= ITEMS_MAX || memchr(data, 0, size);
	const char *copy = stw_arena_copy(&r->c->arena, *bad ? "" : (const char *)data, *bad ? 0 : size);
	stw_slice *t = copy ? stw_vec_push(r->mem, &r->texts) : NULL;
	if (!t)
		return stw_fail_memory(r->error);
	*t = (stw_slice){copy, (uint32_t)(*bad ? 0 : size)}; /* a bad one too: it counts */
	return STWATCH_OK;
}

static stwatch_status take_message(reader *r, unsigned field, const uint8_t *data, size_t size, bool *bad)
{
	switch (field) {
	case SAMPLE_TYPE: return add_sample_type(r, data, size, bad);
	case SAMPLE: return add_sample(r, data, size, bad);
	case MAPPING: add_mapping(r, data, size, bad); return STWATCH_OK;
	case LOCATION: return add_location(r, data, size, bad);
	case FUNCTION: return add_function(r, data, size, bad);
	case TEXT: return add_text(r, data, size, bad);
	case PERIOD_TYPE: return take_type(r, data, size, &r->period_type, bad);
	default: *bad = false; return STWATCH_OK;
	}
}

static void take_number(reader *r, unsigned field, int64_t value)
{
	switch (field) {
	case TIME: r->time = value; break;
	case DURATION: r->duration = value; break;
	case PERIOD: r->period = value; break;
	default: break;
	}
}

/* ---- the top level ---- */

static const char *name_of(unsigned field)
{
	switch (field) {
	case SAMPLE_TYPE: return "a sample type";
	case SAMPLE: return "a sample";
	case MAPPING: return "a mapping";
	case LOCATION: return "a location";
	case FUNCTION: return "a function";
	case TEXT: return "a text";
	case PERIOD_TYPE: return "the type of the period";
	default: return "a field";
	}
}

/* A field with a length; `at` stands behind that. *end: nothing can be read after it. */
static stwatch_status read_bytes(reader *r, unsigned field, uint64_t start, uint64_t length, bool *end)
{
	uint64_t left = r->source->size > position(r) ? r->source->size - position(r) : 0;
	size_t got;
	if (length > left) {
		*end = true;
		return stw_companion_problem(r->c, start, "%s is cut: %llu bytes are left (%llu were expected)", name_of(field),
			       (unsigned long long)left, (unsigned long long)length)
			? STWATCH_OK
			: stw_fail_memory(r->error);
	}
	if (length > MESSAGE_MAX) {
		r->offset = position(r) + length;
		r->at = r->filled = 0;
		return field == SAMPLE || field == LOCATION || field == FUNCTION || field == TEXT
			? problem(r, start, "a field is longer than any profile has (1 MiB at most was expected): passed over")
			: STWATCH_OK;
	}
	stwatch_status status = ensure(r, length, &got);
	bool bad = false;
	if (status == STWATCH_OK)
		status = take_message(r, field, r->buffer + r->at, (size_t)length, &bad);
	if (r->no_memory)
		status = stw_fail_memory(r->error);
	if (status == STWATCH_OK && bad)
		status = stw_companion_problem(r->c, start, "%s is corrupt or contradicts the profile: passed over", name_of(field))
			? STWATCH_OK
			: stw_fail_memory(r->error);
	r->at += length;
	return status;
}

static stwatch_status read_field(reader *r, bool *end)
{
	enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
	size_t got;
	uint64_t tag = 0, value, start = position(r);
	stwatch_status status = ensure(r, 20, &got);
	if (status != STWATCH_OK || got == 0) {
		*end = true;
		return status;
	}
	const uint8_t *p = r->buffer + r->at, *limit = p + got;
	const char *const expected = "no field of a protobuf message begins here (a profile.proto was expected): the rest was left";
	*end = true; /* unless all is well */
	p = stw_varint_get(p, limit, &tag);
	unsigned wire = (unsigned)(tag & 7), field = (unsigned)(tag >> 3 & 0x1fffffff);
	if (!p || field == 0)
		return problem(r, start, expected);
	if (wire == FIXED64 || wire == FIXED32) {
		size_t size = wire == FIXED64 ? 8 : 4;
		if ((size_t)(limit - p) < size)
			return problem(r, start, "the last field is cut");
		r->at = (size_t)(p - r->buffer) + size;
		*end = false;
		return STWATCH_OK;
	}
	if (wire != VARINT && wire != BYTES)
		return problem(r, start, expected);
	p = stw_varint_get(p, limit, &value);
	if (!p)
		return problem(r, start, got < 20 ? "the last field is cut" : expected);
	r->at = (size_t)(p - r->buffer);
	*end = false;
	if (wire == BYTES)
		return read_bytes(r, field, start, value, end);
	take_number(r, field, (int64_t)value);
	return STWATCH_OK;
}

static stwatch_status read_fields(reader *r)
{
	stwatch_status status = STWATCH_OK;
	bool end = false;
	for (unsigned i = 0; !end && status == STWATCH_OK; i++) {
		if (i % 1024 == 0 && r->cancel && *r->cancel)
			return stw_fail(r->error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		status = read_field(r, &end);
	}
	return status;
}

/* ---- resolving ---- */

static const char *text_of(reader *r, int64_t index)
{
	if (index >= 0 && (uint64_t)index < r->texts.count)
		return r->texts.items[index].data;
	r->told[0] = true;
	return "";
}

/* Functions of the same name and file are one; *slots tells which each of the raw ones became. */
static bool resolve_functions(reader *r, stw_profile *p, uint32_t *slots)
{
	stw_intern names;
	stw_map known;
	bool ok = true;
	stw_profile_function *out = stw_arena_alloc(&r->c->arena, (r->functions.count + 1) * sizeof *out);
	stw_intern_init(&names, r->mem);
	stw_map_init(&known, r->mem);
	for (size_t i = 0; out && ok && i < r->functions.count; i++) {
		const char *name = text_of(r, r->functions.items[i].name), *file = text_of(r, r->functions.items[i].file);
		uint32_t n = stw_intern_put(&names, name, strlen(name)), f = stw_intern_put(&names, file, strlen(file));
		uint64_t key = (uint64_t)n << 32 | f;
		uint32_t slot = stw_map_get(&known, key);
		ok = n != UINT32_MAX && f != UINT32_MAX;
		if (ok && slot == STW_MAP_NONE) {
			slot = (uint32_t)p->n_functions++;
			out[slot] = (stw_profile_function){name, file};
			ok = stw_map_put(&known, key, slot);
		}
		slots[i] = slot;
	}
	/* One more for frames whose function is not there. */
	if (out)
		out[p->n_functions++] = (stw_profile_function){"", ""};
	p->functions = out;
	stw_map_free(&known);
	stw_intern_free(&names);
	return out && ok;
}

static bool resolve_frames(reader *r, stw_profile *p, const uint32_t *slots)
{
	stw_profile_frame *out = stw_arena_alloc(&r->c->arena, (r->frames.count + 1) * sizeof *out);
	for (size_t i = 0; out && i < r->frames.count; i++) {
		uint32_t slot = stw_map_get(&r->function_slots, r->frames.items[i].function);
		if (slot == STW_MAP_NONE)
			r->told[1] = true;
		out[i] = (stw_profile_frame){slot == STW_MAP_NONE ? (uint32_t)p->n_functions - 1 : slots[slot], r->frames.items[i].line};
	}
	p->frames = out;
	return out != NULL;
}

/* Where in the program's file each location without names is. */
static bool resolve_places(reader *r, stw_profile *p)
{
	uint64_t *out = stw_arena_alloc(&r->c->arena, (r->places.count + 1) * sizeof *out);
	const raw_mapping *m = &r->program;
	for (size_t i = 0; out && i < r->places.count; i++) {
		const raw_place *place = &r->places.items[i];
		bool there = r->locations.items[i].n == 0 && m->id && place->mapping == m->id && place->address >= m->start &&
			(m->limit == 0 || place->address < m->limit);
		out[i] = there ? place->address - m->start + m->offset : UINT64_MAX;
		p->n_unnamed += there;
	}
	p->places = out;
	p->n_frames = r->frames.count;
	p->n_locations = r->locations.count;
	return out != NULL;
}

static bool resolve_stacks(reader *r, stw_profile *p)
{
	stw_profile_location *locations = stw_arena_alloc(&r->c->arena, (r->locations.count + 1) * sizeof *locations);
	uint32_t *stacks = stw_arena_alloc(&r->c->arena, (r->stacks.count + 1) * sizeof *stacks);
	int64_t *values = stw_arena_alloc(&r->c->arena, (r->values.count + 1) * sizeof *values);
	stw_profile_sample *samples = stw_arena_alloc(&r->c->arena, (r->samples.count + 1) * sizeof *samples);
	if (!locations || !stacks || !values || !samples)
		return false;
	if (r->locations.count)
		memcpy(locations, r->locations.items, r->locations.count * sizeof *locations);
	locations[r->locations.count] = (stw_profile_location){0, 0}; /* for those that are not there */
	if (r->values.count)
		memcpy(values, r->values.items, r->values.count * sizeof *values);
	for (size_t i = 0; i < r->stacks.count; i++) {
		uint32_t slot = stw_map_get(&r->location_slots, r->stacks.items[i]);
		if (slot == STW_MAP_NONE)
			r->told[2] = true;
		stacks[i] = slot == STW_MAP_NONE ? (uint32_t)r->locations.count : slot;
	}
	for (size_t i = 0; i < r->samples.count; i++) {
		samples[i] = r->samples.items[i];
		samples[i].values = values + i * r->n_types;
	}
	p->locations = locations;
	p->stacks = stacks;
	p->samples = samples;
	p->n_samples = r->samples.count;
	return true;
}

static bool resolve(reader *r, stw_profile *p)
{
	static const char *const DANGLING[] = {
		"texts are referred to that are not in the profile",
		"locations refer to functions that are not in the profile",
		"samples refer to locations that are not in the profile",
	};
	size_t size = (r->functions.count + 1) * sizeof(uint32_t);
	uint32_t *slots = stw_mem_zalloc(r->mem, size);
	bool ok = slots && resolve_functions(r, p, slots) && resolve_frames(r, p, slots) && resolve_places(r, p) && resolve_stacks(r, p);
	stw_mem_free(r->mem, slots, slots ? size : 0);
	for (size_t i = 0; i < r->n_types; i++)
		p->types[i] = (stw_profile_type){text_of(r, r->types[i].type), text_of(r, r->types[i].unit)};
	p->n_types = r->n_types;
	p->period_type = (stw_profile_type){text_of(r, r->period_type.type), text_of(r, r->period_type.unit)};
	p->period = r->period;
	p->time_unix_ns = r->time;
	p->duration_ns = r->duration > 0 ? r->duration : 0;
	for (int i = 0; i < 3 && ok; i++)
		if (r->told[i])
			ok = stw_companion_problem(r->c, STWATCH_NO_OFFSET, "%s", DANGLING[i]);
	return ok;
}

stwatch_status stw_profile_read(
	stw_companion *c, const stw_source *source, const volatile int *cancel, stw_profile **out, stwatch_error *error)
{
	reader r = {.c = c, .mem = c->mem, .source = source, .cancel = cancel, .error = error};
	r.allocator = (ProtobufCAllocator){allocate, release, &r};
	stw_map_init(&r.function_slots, r.mem);
	stw_map_init(&r.location_slots, r.mem);
	r.buffer = stw_mem_resize(r.mem, NULL, 0, WINDOW);
	r.capacity = r.buffer ? WINDOW : 0;
	*out = r.buffer ? stw_arena_zalloc(&c->arena, sizeof **out) : NULL;
	stwatch_status status = *out ? read_fields(&r) : stw_fail_memory(error);
	if (status == STWATCH_OK && !resolve(&r, *out))
		status = stw_fail_memory(error);
	stw_mem_free(r.mem, r.buffer, r.capacity);
	stw_vec_free(r.mem, &r.texts);
	stw_vec_free(r.mem, &r.functions);
	stw_vec_free(r.mem, &r.frames);
	stw_vec_free(r.mem, &r.locations);
	stw_vec_free(r.mem, &r.places);
	stw_vec_free(r.mem, &r.stacks);
	stw_vec_free(r.mem, &r.samples);
	stw_vec_free(r.mem, &r.values);
	stw_map_free(&r.function_slots);
	stw_map_free(&r.location_slots);
	return status;
}

#else

#include "base/error.h"

stwatch_status stw_profile_read(
	stw_companion *c, const stw_source *source, const volatile int *cancel, stw_profile **out, stwatch_error *error)
{
	(void)c;
	(void)source;
	(void)cancel;
	*out = NULL;
	return stw_fail(error, STWATCH_ERR_UNAVAILABLE, STWATCH_NO_OFFSET,
		"a pprof profile, which this build can't read: build with libprotobuf-c-dev and protobuf-c-compiler installed "
		"(STWATCH_WITH_PROTOBUF)");
}

#endif
