/* From an ELF file to Go's table of functions. Section names say where it is; without them, it is looked for in what is loaded. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "sources/binary.h"
#include "sources/readers.h"

enum { TABLE_MAX = 1 << 30, SCAN_STEP = 64 << 10, TABLE_ALIGN = 4, RELOCATION = 24 };

static const unsigned char ELF[] = {0x7f, 'E', 'L', 'F'};
/* Mach-O in either byte order and size, or several in one; PE. */
static const unsigned char OTHERS[][4] = {
	{0xfe, 0xed, 0xfa, 0xce}, {0xfe, 0xed, 0xfa, 0xcf}, {0xce, 0xfa, 0xed, 0xfe}, {0xcf, 0xfa, 0xed, 0xfe}, {0xca, 0xfe, 0xba, 0xbe}};

static bool is_other(const unsigned char *head, size_t length)
{
	for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
		if (length >= 4 && memcmp(head, OTHERS[i], 4) == 0)
			return true;
	return length >= 64 && head[0] == 'M' && head[1] == 'Z' && memchr(head, 0, 64);
}

static bool recognise(const unsigned char *head, size_t length)
{
	return (length >= sizeof ELF && memcmp(head, ELF, sizeof ELF) == 0) || is_other(head, length);
}

/* ---- where the table is ---- */

static stwatch_status load(stw_binary *b, stw_companion *c, uint64_t offset, uint64_t size, stwatch_error *error)
{
	uint64_t left = offset < b->source.size ? b->source.size - offset : 0;
	if (size > left) {
		if (!stw_companion_problem(c, b->source.size,
			    "the file ends within Go's table of functions (%llu more bytes were expected)",
			    (unsigned long long)(size - left)))
			return stw_fail_memory(error);
		size = left;
	}
	if (size == 0 || size > TABLE_MAX)
		return STWATCH_OK;
	stw_mem_free(b->mem, b->table, b->table_size);
	b->table = stw_mem_zalloc(b->mem, (size_t)size);
	b->table_size = b->table ? (size_t)size : 0;
	b->table_offset = offset;
	size_t got;
	return b->table ? stw_source_read(&b->source, offset, b->table, b->table_size, &got, error) : stw_fail_memory(error);
}

/* The offset of something that begins like a table in a segment, UINT64_MAX: nothing does. */
static uint64_t scan(const stw_binary *b, const stw_elf_segment *s, uint8_t *window)
{
	stwatch_error error;
	size_t got;
	for (uint64_t at = 0; at < s->size; at += SCAN_STEP) {
		uint64_t left = s->size - at;
		if (stw_source_read(&b->source, s->offset + at, window, left < SCAN_STEP + 8 ? (size_t)left : SCAN_STEP + 8, &got,
			    &error) != STWATCH_OK)
			break;
		for (size_t i = 0; i + 8 <= got && i < SCAN_STEP; i += TABLE_ALIGN)
			if (stw_pclntab_begins(window + i, got - i))
				return s->offset + at + i;
	}
	return UINT64_MAX;
}

static stwatch_status scan_segments(stw_binary *b, stw_companion *c, stwatch_error *error)
{
	uint8_t *window = stw_mem_zalloc(b->mem, SCAN_STEP + 8);
	stwatch_status status = window ? STWATCH_OK : stw_fail_memory(error);
	for (size_t i = 0; i < b->elf.n_segments && status == STWATCH_OK && b->lines.version == STW_PCLN_NONE; i++) {
		const stw_elf_segment *s = &b->elf.segments[i];
		uint64_t at = scan(b, s, window);
		if (at == UINT64_MAX)
			continue;
		status = load(b, c, at, s->offset + s->size - at, error);
		if (status == STWATCH_OK && !stw_pclntab_open(&b->lines, b->table, b->table_size))
			b->lines.version = STW_PCLN_NONE;
	}
	stw_mem_free(b->mem, window, SCAN_STEP + 8);
	return status;
}

/* ---- addresses that are only known once it is loaded ---- */

/* To Go 1.15 the table holds whole addresses, which the linker may have left to the loader. */
static void apply_relocations(stw_binary *b, uint64_t address)
{
	const stw_elf_section *s = stw_elf_section_named(&b->elf, ".rela.dyn");
	uint8_t chunk[RELOCATION * 256];
	stwatch_error error;
	size_t got = 1;
	for (uint64_t at = 0; s && b->elf.wide && got > 0 && at < s->size; at += sizeof chunk) {
		uint64_t take = s->size - at < sizeof chunk ? s->size - at : sizeof chunk;
		if (stw_source_read(&b->source, s->offset + at, chunk, (size_t)take, &got, &error) != STWATCH_OK)
			return;
		for (size_t i = 0; i + RELOCATION <= got; i += RELOCATION) {
			uint64_t where = stw_elf_number(b->elf.big, chunk + i, 8) - address;
			if (where > b->table_size - 8 || b->table_size < 8)
				continue;
			for (unsigned k = 0; k < 8; k++) /* both are of the file's byte order */
				b->table[where + k] = chunk[i + 16 + k];
		}
	}
}

stwatch_status stw_binary_find_table(stw_binary *b, stw_companion *c, stwatch_error *error)
{
	static const char *const SECTIONS[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	stwatch_status status = STWATCH_OK;
	for (size_t i = 0; i < 2 && status == STWATCH_OK && b->lines.version == STW_PCLN_NONE; i++) {
		const stw_elf_section *s = stw_elf_section_named(&b->elf, SECTIONS[i]);
		if (!s)
			continue;
		status = load(b, c, s->offset, s->size, error);
		if (status == STWATCH_OK && b->position_independent && b->table)
			apply_relocations(b, s->addr);
		if (status == STWATCH_OK && !(b->table && stw_pclntab_open(&b->lines, b->table, b->table_size)))
			b->lines.version = STW_PCLN_NONE;
	}
	if (status == STWATCH_OK && b->lines.version == STW_PCLN_NONE)
		status = scan_segments(b, c, error);
	if (status == STWATCH_OK && b->lines.version >= STW_PCLN_GO118 && !stw_binary_find_module(b))
		status = stw_fail_memory(error);
	if (status == STWATCH_OK && b->lines.version != STW_PCLN_NONE)
		stw_pclntab_range(&b->lines, &b->text_begin, &b->text_end);
	return status;
}

/* ---- the reader ---- */

static void release(const void *part, stw_mem *mem)
{
	stw_binary *b = (stw_binary *)(uintptr_t)part; /* its own */
	if (b->source.fd >= 0)
		close(b->source.fd);
	stw_mem_free(mem, b->table, b->table_size);
	stw_vec_free(mem, &b->settings);
	stw_mem_free(mem, b, sizeof *b);
}

static bool has_symbols(const stw_binary *b)
{
	return stw_elf_section_named(&b->elf, ".symtab") != NULL;
}

static stwatch_status read_parts(stw_binary *b, stw_companion *c, stwatch_error *error)
{
	stwatch_status status = stw_elf_open(&b->elf, b->mem, &c->arena, &b->source, error);
	if (status != STWATCH_OK)
		return status;
	if (b->elf.type == STW_ELF_CORE)
		return stw_fail(error, STWATCH_ERR_UNSUPPORTED, 16,
			"this is a core file (the program's binary was expected; its goroutines are not read from a core)");
	b->position_independent = b->elf.type == STW_ELF_DYN;
	b->has_symbols = has_symbols(b);
	status = stw_binary_find_table(b, c, error);
	if (status != STWATCH_OK)
		return status;
	if (b->lines.version == STW_PCLN_NONE && c->problems.count == 0)
		return stw_fail(error, STWATCH_ERR_FORMAT, STWATCH_NO_OFFSET,
			"this is an ELF file without Go's table of functions (the binary of a Go program, of Go 1.2 or later, was "
			"expected)");
	return stw_binary_read_build(b, c) ? STWATCH_OK : stw_fail_memory(error);
}

static stwatch_status read_binary(stw_companion *c, const stw_source *source, const volatile int *cancel, stwatch_error *error)
{
	unsigned char head[64];
	size_t got;
	(void)cancel; /* it is short work */
	stwatch_status status = stw_source_read(source, 0, head, sizeof head, &got, error);
	if (status != STWATCH_OK)
		return status;
	if (is_other(head, got))
		return stw_fail(error, STWATCH_ERR_FORMAT, 0,
			"this is a program of macOS or Windows (of binaries, those in the ELF format are read: Linux, the BSDs, illumos)");
	stw_binary *b = stw_mem_zalloc(c->mem, sizeof *b);
	if (!b)
		return stw_fail_memory(error);
	b->mem = c->mem;
	b->source = *source;
	b->source.fd = dup(source->fd);
	status = b->source.fd < 0 ? stw_fail(error, STWATCH_ERR_IO, STWATCH_NO_OFFSET, "no further file can be opened")
				  : read_parts(b, c, error);
	if (status == STWATCH_ERR_DAMAGED)
		status = stw_companion_problem(c, error->offset, "%s", error->message) ? STWATCH_OK : stw_fail_memory(error);
	if (status != STWATCH_OK) {
		release(b, c->mem);
		return status;
	}
	c->kind = "go-binary";
	c->format = b->version;
	c->parts[STW_PART_BINARY] = b;
	return STWATCH_OK;
}

const stw_companion_reader stw_reader_binary = {
	.expected = "a Go program's binary",
	.part = STW_PART_BINARY,
	.recognise = recognise,
	.read = read_binary,
	.describe = stw_binary_describe,
	.release = release,
};
