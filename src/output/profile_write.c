#include "output/profile_write.h"

#include "base/error.h"

#ifdef STWATCH_PROTOBUF

#include <profile.pb-c.h>
#include <string.h>
#include <zlib.h>

/* The string table: "", these, then the texts of the profile. */
enum { TEXT_CONTENTIONS = 1, TEXT_COUNT, TEXT_DELAY, TEXT_NANOSECONDS, TEXT_TRACE, TEXTS_OF_OURS };

/* Packed messages that are put behind one another are one message: so each part goes out as soon as it is made. */
typedef struct writer {
	ProtobufCBuffer base; /* first: protobuf-c hands it back to append */
	const stw_state_profile *profile;
	stwatch_sink_fn sink;
	void *user;
	z_stream z;
	bool stopped, broken;
	unsigned char room[16 << 10];
} writer;

static void deflate_some(writer *w, const uint8_t *data, size_t length, int flush)
{
	w->z.next_in = (unsigned char *)data;
	w->z.avail_in = (uInt)length;
	do {
		w->z.next_out = w->room;
		w->z.avail_out = sizeof w->room;
		w->broken |= deflate(&w->z, flush) == Z_STREAM_ERROR;
		size_t n = sizeof w->room - w->z.avail_out;
		if (n && !w->stopped)
			w->stopped = w->sink(w->user, (const char *)w->room, n) != 0;
	} while (w->z.avail_out == 0 && !w->broken);
}

static void append(ProtobufCBuffer *buffer, size_t length, const uint8_t *data)
{
	deflate_some((writer *)(void *)buffer, data, length, Z_NO_FLUSH);
}

static void emit(writer *w, const Stw__Pb__Profile *part)
{
	stw__pb__profile__pack_to_buffer(part, &w->base);
}

static int64_t text_index(uint32_t number)
{
	return number ? (int64_t)number + TEXTS_OF_OURS - 1 : 0;
}

static void emit_head(writer *w)
{
	Stw__Pb__ValueType contentions = STW__PB__VALUE_TYPE__INIT, delay = STW__PB__VALUE_TYPE__INIT, period = STW__PB__VALUE_TYPE__INIT;
	Stw__Pb__ValueType *types[] = {&contentions, &delay};
	Stw__Pb__Profile head = STW__PB__PROFILE__INIT;
	const stw_state_profile *p = w->profile;
	contentions.type = TEXT_CONTENTIONS;
	contentions.unit = period.unit = TEXT_COUNT;
	delay.type = TEXT_DELAY;
	delay.unit = TEXT_NANOSECONDS;
	period.type = TEXT_TRACE;
	head.n_sample_type = 2;
	head.sample_type = types;
	head.period_type = &period;
	head.period = 1;
	head.time_nanos = p->has_wall ? p->wall_ns : 0;
	head.duration_nanos = p->last - p->start;
	emit(w, &head);
}

static void emit_sample(writer *w, stw_slice stack, const stw_stack_sum *sum)
{
	enum { FRAMES_MAX = 1024 };
	uint64_t locations[FRAMES_MAX];
	int64_t values[] = {(int64_t)sum->count, sum->ns};
	Stw__Pb__Sample sample = STW__PB__SAMPLE__INIT, *samples[] = {&sample};
	Stw__Pb__Profile part = STW__PB__PROFILE__INIT;
	for (size_t i = 0; i < stack.length / sizeof(uint32_t) && i < FRAMES_MAX; i++) {
		uint32_t place;
		memcpy(&place, stack.data + i * sizeof place, sizeof place);
		locations[sample.n_location_id++] = place;
	}
	sample.location_id = locations;
	sample.n_value = 2;
	sample.value = values;
	part.n_sample = 1;
	part.sample = samples;
	emit(w, &part);
}

static void emit_place(writer *w, uint32_t number)
{
	stw_profile_place place;
	Stw__Pb__Line line = STW__PB__LINE__INIT, *lines[] = {&line};
	Stw__Pb__Location location = STW__PB__LOCATION__INIT, *locations[] = {&location};
	Stw__Pb__Profile part = STW__PB__PROFILE__INIT;
	memcpy(&place, stw_intern_get(&w->profile->places, number).data, sizeof place);
	line.function_id = place.code;
	line.line = (int64_t)place.line;
	location.id = number;
	location.n_line = 1;
	location.line = lines;
	part.n_location = 1;
	part.location = locations;
	emit(w, &part);
}

static void emit_code(writer *w, uint32_t number)
{
	stw_profile_code code;
	Stw__Pb__Function function = STW__PB__FUNCTION__INIT, *functions[] = {&function};
	Stw__Pb__Profile part = STW__PB__PROFILE__INIT;
	memcpy(&code, stw_intern_get(&w->profile->codes, number).data, sizeof code);
	function.id = number;
	function.name = function.system_name = text_index(code.name);
	function.filename = text_index(code.file);
	part.n_function = 1;
	part.function = functions;
	emit(w, &part);
}

static void emit_text(writer *w, const char *text)
{
	char *texts[] = {(char *)text};
	Stw__Pb__Profile part = STW__PB__PROFILE__INIT;
	part.n_string_table = 1;
	part.string_table = texts;
	emit(w, &part);
}

static void emit_all(writer *w)
{
	static const char *const OURS[TEXTS_OF_OURS] = {"", "contentions", "count", "delay", "nanoseconds", "trace"};
	const stw_state_profile *p = w->profile;
	emit_head(w);
	for (uint32_t i = 0; i < p->sums.count; i++)
		if (p->sums.items[i].count)
			emit_sample(w, stw_intern_get(&p->stacks, i), &p->sums.items[i]);
	for (uint32_t i = 1; i < p->places.texts.count; i++)
		emit_place(w, i);
	for (uint32_t i = 1; i < p->codes.texts.count; i++)
		emit_code(w, i);
	for (int i = 0; i < TEXTS_OF_OURS; i++)
		emit_text(w, OURS[i]);
	for (uint32_t i = 1; i < p->texts.texts.count; i++)
		emit_text(w, p->texts.texts.items[i].data);
}

stwatch_status stw_profile_write(const stw_state_profile *profile, stwatch_sink_fn sink, void *user, stwatch_error *error)
{
	writer w = {.base = {append}, .profile = profile, .sink = sink, .user = user};
	if (deflateInit2(&w.z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return stw_fail_memory(error);
	emit_all(&w);
	deflate_some(&w, NULL, 0, Z_FINISH);
	deflateEnd(&w.z);
	return w.stopped || w.broken ? stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "the output was closed") : STWATCH_OK;
}

#else

stwatch_status stw_profile_write(const stw_state_profile *profile, stwatch_sink_fn sink, void *user, stwatch_error *error)
{
	(void)profile;
	(void)sink;
	(void)user;
	return stw_fail(error, STWATCH_ERR_UNAVAILABLE, STWATCH_NO_OFFSET,
		"this build can't write profiles: build with libprotobuf-c-dev and protobuf-c-compiler installed (STWATCH_WITH_PROTOBUF)");
}

#endif
