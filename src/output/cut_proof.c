#include "output/cut_proof.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/stream.h"
#include "wire/header.h"

enum { EVENTS = 4096 }; /* between two looks at whether to go on */

void stw_cut_proof_init(stw_cut_proof *proof, stw_cut *cut)
{
	*proof = (stw_cut_proof){.kept = {.fd = -1}, .sink = cut->out.write, .user = cut->out.user};
}

void stw_cut_proof_free(stw_cut_proof *proof)
{
	stw_source_close(&proof->kept);
}

static int keep(void *user, const char *data, size_t length)
{
	stw_cut_proof *proof = user;
	if (!stw_write_all(proof->kept.fd, data, length)) {
		proof->failure = errno;
		return -1;
	}
	proof->kept.size += length;
	return 0;
}

stwatch_status stw_cut_proof_keep(stw_cut_proof *proof, stw_cut *cut, stwatch_error *error)
{
	stw_source_close(&proof->kept);
	proof->kept = (stw_source){.fd = -1};
	stwatch_status status = stw_temporary_file(&proof->kept.fd, error);
	if (status != STWATCH_OK)
		return status;
	stw_sink_init(&cut->out, keep, proof);
	cut->written = 0;
	return STWATCH_OK;
}

stwatch_status stw_cut_proof_fail(const stw_cut_proof *proof, stwatch_error *error)
{
	errno = proof->failure;
	return stw_temporary_fail(error);
}

/* What is still on its way to the file. */
static stwatch_status settle(stw_cut_proof *proof, stw_cut *cut, stwatch_error *error)
{
	if (stw_sink_flush(&cut->out) != STWATCH_OK)
		return stw_cut_proof_fail(proof, error);
	proof->kept.file_size = proof->kept.size;
	return STWATCH_OK;
}

stwatch_status stw_cut_proof_pass(stw_cut_proof *proof, stw_cut *cut, stwatch_error *error)
{
	char buffer[32 << 10];
	size_t got = sizeof buffer;
	if (proof->kept.fd < 0)
		return STWATCH_OK;
	stwatch_status status = settle(proof, cut, error);
	stw_sink_init(&cut->out, proof->sink, proof->user);
	cut->written = 0;
	while (status == STWATCH_OK && cut->written < proof->kept.size && got) {
		status = stw_source_read(&proof->kept, cut->written, buffer, sizeof buffer, &got, error);
		if (status == STWATCH_OK)
			stw_cut_put(cut, buffer, got);
	}
	return status;
}

/* ---- reading back ---- */

/* To the first fault. Generations are those that were begun. */
static stwatch_status go_through(stw_stream *s, stw_cut_held *held, const volatile int *cancel, stwatch_error *error)
{
	const stw_stream_event *e;
	stwatch_status status = STWATCH_OK;
	int64_t first = 0;
	bool begun = false;
	for (unsigned n = 0; (status = stw_stream_next(s, &e, error)) == STWATCH_OK; n++) {
		if (n % EVENTS == 0 && cancel && *cancel)
			return stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
		held->generations += e->type == STW_EV_SYNC_POINT && e->has_generation;
		if (!begun)
			first = e->time;
		begun = true;
		held->ns = e->time - first;
		if (s->v1 && s->v1_merge.n_faults) /* which the stream tells at its end */
			return stw_v1_merge_verdict(&s->v1_merge, error);
	}
	return status == STWATCH_END ? STWATCH_OK : status;
}

static stwatch_status go_through_v1(
	stw_cut_proof *proof, stw_mem *mem, unsigned minor, stw_cut_held *held, const volatile int *cancel, stwatch_error *error)
{
	stw_v1 v1;
	stw_stream s;
	const stw_span span = {.source = &proof->kept, .generation = 1, .end = proof->kept.size};
	const stw_v1_entry entry = stw_v1_entry_of(minor);
	stwatch_status status = stw_v1_open(&v1, mem, &proof->kept, &entry, NULL, 1, cancel, error);
	if (status != STWATCH_OK)
		return status;
	if (v1.index.problems.count) {
		status = stw_fail(error, STWATCH_ERR_DAMAGED, v1.index.problems.items[0].offset, "%s", v1.index.problems.items[0].what);
	} else {
		stw_stream_open_v1(&s, mem, &span, 1, &v1, true);
		status = go_through(&s, held, cancel, error);
		stw_stream_close(&s);
	}
	stw_v1_close(&v1);
	return status;
}

static stwatch_status go_through_all(
	stw_cut_proof *proof, stw_mem *mem, stw_cut_held *held, const volatile int *cancel, stwatch_error *error)
{
	unsigned minor;
	stw_stream s;
	stwatch_status status = stw_header_read(&proof->kept, &minor, error);
	if (status != STWATCH_OK)
		return status;
	if (minor < STW_GO122)
		return go_through_v1(proof, mem, minor, held, cancel, error);
	stw_stream_open(&s, mem, &proof->kept, (stw_go_version)minor);
	status = go_through(&s, held, cancel, error);
	stw_stream_close(&s);
	if (status == STWATCH_ERR_DAMAGED && held->generations) /* the last that was begun is where it is */
		held->generations--;
	return status;
}

stwatch_status stw_cut_proof_read(stw_cut_proof *proof, stw_cut *cut, stw_cut_held *held, const volatile int *cancel, stwatch_error *error)
{
	*held = (stw_cut_held){.fault = {.status = STWATCH_OK}};
	stwatch_status status = settle(proof, cut, error);
	if (status != STWATCH_OK)
		return status;
	status = go_through_all(proof, cut->mem, held, cancel, &held->fault);
	if (status == STWATCH_OK || status == STWATCH_ERR_DAMAGED || status == STWATCH_ERR_FORMAT)
		return STWATCH_OK;
	*error = held->fault;
	return status;
}
