/* A v1 trace that is being written: each proc's events into batches of its own, and at the end the tables, with just the strings and stacks that the
 * events name. With a key, names and texts are pseudonyms. Format: docs/format-v1.md. */
#ifndef STW_OUTPUT_V1_WRITER_H
#define STW_OUTPUT_V1_WRITER_H

#include "output/cut.h"
#include "output/naming.h"

/* An event as it stands in a proc's stream. Its arguments are those of its format, as stw_v1_cursor has them. */
typedef struct stw_v1_event {
	uint8_t type; /* STW_V1_… */
	uint32_t stack; /* 0: none */
	int64_t ticks, seq; /* seq: to Go 1.6 */
	uint64_t a[STW_V1_VALUES];
	const char *text; /* of a log */
	uint32_t text_length;
} stw_v1_event;

typedef struct stw_v1_stream {
	int64_t proc; /* -1: none */
	int64_t ticks, seq; /* of its last event */
	STW_VEC(uint8_t) bytes; /* of its batch at hand; empty: there is none */
} stw_v1_stream;

typedef struct stw_v1_writer {
	stw_cut *cut;
	stw_v1 *v1; /* what the events are of; the notes of its strings and stacks are the writer's */
	stw_v1_stream *streams;
	size_t n_streams, no_proc; /* no_proc: index of the one of no proc */
	size_t batch; /* a batch of so many bytes is done */
	stw_string_use *strings; /* by index of v1->gen.strings */
	uint64_t last_text_id; /* handed out */
	int64_t last_ticks, last_seq; /* the latest of all events */
	bool failed; /* out of memory: what is written is worth nothing */
} stw_v1_writer;

/* Streams are those of v1's procs, by their index, and behind them one of no proc where v1 has none. Writes the header. Ends with stw_v1_writer_free (which may also be called where it was not opened), also after a
 * failure (STWATCH_ERR_MEMORY). */
stwatch_status stw_v1_writer_open(stw_v1_writer *writer, stw_cut *cut, stw_v1 *v1, stwatch_error *error);
/* Events of one stream come in their order. */
void stw_v1_writer_put(stw_v1_writer *writer, size_t stream, const stw_v1_event *event);
/* Writes what is left, and the tables. STWATCH_ERR_MEMORY, _IO. */
stwatch_status stw_v1_writer_finish(stw_v1_writer *writer, stwatch_error *error);
void stw_v1_writer_free(stw_v1_writer *writer);

/* ---- pieces of the format, straight to the output ---- */

/* A text with its length before it. */
void stw_v1_put_text(stw_cut *cut, const char *text, size_t length);
void stw_v1_put_string(stw_cut *cut, uint64_t id, const char *text, size_t length);
/* A record with n values, at most STW_V1_RECORD_VALUES of them; at least as many as the format doesn't count. */
void stw_v1_put_record(stw_cut *cut, const stw_v1_format *format, unsigned type, const uint64_t *values, unsigned n);

#endif
