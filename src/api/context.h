/* The inside of a context. */
#ifndef STW_API_CONTEXT_H
#define STW_API_CONTEXT_H

#include "base/mem.h"
#include "api/symbols.h"
#include "engine/trace.h"

struct stwatch_context {
	stw_mem mem;
	unsigned threads;
	stwatch_progress_fn progress;
	void *progress_user;
	const volatile int *cancel;
	uint64_t unpack_limit;
	stwatch_note_fn note;
	void *note_user;
	STW_VEC(stw_companion *) binaries; /* of stwatch_context_add_binary */
	stw_companions binaries_list; /* the same, for symbols */
	stw_symbols symbols; /* of these */
};

/* Takes over a struct of options whose first field is the size that its caller knows it by; NULL: nothing changes. */
void stw_options_take(void *to, size_t room, const void *from);
/* Tells people a line, where anybody listens. */
void stw_context_note(const stwatch_context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How its inputs are opened. */
stw_source_options stw_context_opening(const stwatch_context *context);

/* That a trace's index is not used, and why. */
void stw_context_tell_unused(const stwatch_context *context, const char *path, const char *why);
/* Opens a trace of which a part may be wanted, with names from the context's binaries where it has none. As stw_trace_take; STWATCH_ERR_FORMAT where it is no trace, and where its addresses are
 * not those of any of them. */
stwatch_status stw_context_open_trace(stwatch_context *context, stw_trace *trace, const char *path, stwatch_error *error);
/* Who names what a trace lacks; NULL: nobody. After a trace was opened with it: whether its addresses are those of a binary, if it has any. */
const stw_namer *stw_context_namer(const stwatch_context *context);
stwatch_status stw_context_check_names(const stwatch_context *context, stwatch_error *error);

#endif
