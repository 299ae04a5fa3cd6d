/* Any bytes as a Go program's binary, and any bytes as a table of functions. Whatever is read of it must be whole: every name and file
 * ends within the table, every function has an end, and what is asked of any address comes to an end. */
#include <string.h>

#include "companion_stage.h"
#include "sources/binary.h"

enum { FUNCTIONS_ASKED = 64 };

static void ask(const stw_pclntab *t)
{
	uint64_t begin, end;
	stw_pclntab_range(t, &begin, &end);
	for (uint64_t i = 0; i < t->functions && i < FUNCTIONS_ASKED; i++) {
		stw_pcln_function f;
		const char *file;
		uint32_t line;
		if (!stw_pclntab_function(t, i, &f))
			continue;
		REQUIRE((const uint8_t *)f.name >= t->data && (const uint8_t *)f.name + strlen(f.name) < t->data + t->size);
		REQUIRE(f.entry <= f.end && f.info <= t->size);
		stw_pclntab_line(t, &f, f.entry, &file, &line);
		REQUIRE(strlen(file) < t->size);
		stw_pclntab_line(t, &f, f.end - 1, &file, &line);
		stw_pclntab_find(t, f.entry, &f);
	}
}

static void try(const stw_binary *b)
{
	uint64_t addresses[4] = {b->text_begin, b->text_end - 1, b->text_begin + 0x1001, 0};
	const stw_code_addresses all = {5, addresses, 1, addresses, 4, false};
	stw_binary_fit fit = stw_binary_try(b, &all);
	stw_code_name name;
	REQUIRE(fit.fits == (fit.why_not == NULL));
	if (stw_binary_name(b, b->text_begin, &name))
		REQUIRE(name.function && name.file);
	for (uint64_t at = b->text_begin; at < b->text_end && at - b->text_begin < 4096; at += 7) {
		stw_code_name frames[8];
		size_t n = stw_binary_frames(b, at, frames, 8);
		REQUIRE(n <= 8);
		for (size_t i = 0; i < n; i++)
			REQUIRE(frames[i].function && frames[i].file && strlen(frames[i].function) < b->table_size);
	}
}

static void walk(stw_mem *mem, const stw_companion *c)
{
	const stw_binary *b = stw_companion_binary(c);
	(void)mem;
	if (!b || b->lines.version == STW_PCLN_NONE)
		return;
	ask(&b->lines);
	try(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ELF[] = {0x7f, 'E', 'L', 'F'};
	stw_mem mem;
	stw_pclntab table;
	stw_mem_init(&mem, NULL, NULL, (uint64_t)256 << 20);
	if (stw_pclntab_open(&table, data, size))
		ask(&table);
	uint8_t *copy = malloc(size + 1); /* so that most inputs are taken for a binary */
	if (copy && size >= sizeof ELF) {
		memcpy(copy, data, size);
		memcpy(copy, ELF, sizeof ELF);
		companion_read(&mem, copy, size, walk);
	}
	free(copy);
	return 0;
}
