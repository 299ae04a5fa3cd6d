#include "sources/elf.h"

#include <string.h>

#include "base/error.h"

enum { SECTIONS_MAX = 65536, SEGMENTS_MAX = 4096, NAMES_MAX = 1 << 20, SYMBOL_NAMES_MAX = 256 << 20, NO_BITS = 8, SYMTAB = 2, LOAD = 1 };

/* Where the fields lie: of the file's header, a section's, a segment's, a symbol. */
typedef struct layout {
	uint8_t word, header, section, segment, symbol;
	uint8_t phoff, shoff, phentsize; /* phentsize and the five 16-bit numbers that follow it */
	uint8_t s_flags, s_addr, s_offset, s_size, s_link;
	uint8_t p_flags, p_offset, p_vaddr, p_filesz, p_memsz;
	uint8_t y_value, y_size;
} layout;

static const layout NARROW = {
	.word = 4,
	.header = 52,
	.section = 40,
	.segment = 32,
	.symbol = 16,
	.phoff = 28,
	.shoff = 32,
	.phentsize = 42,
	.s_flags = 8,
	.s_addr = 12,
	.s_offset = 16,
	.s_size = 20,
	.s_link = 24,
	.p_flags = 24,
	.p_offset = 4,
	.p_vaddr = 8,
	.p_filesz = 16,
	.p_memsz = 20,
	.y_value = 4,
	.y_size = 8,
};
static const layout WIDE = {
	.word = 8,
	.header = 64,
	.section = 64,
	.segment = 56,
	.symbol = 24,
	.phoff = 32,
	.shoff = 40,
	.phentsize = 54,
	.s_flags = 8,
	.s_addr = 16,
	.s_offset = 24,
	.s_size = 32,
	.s_link = 40,
	.p_flags = 4,
	.p_offset = 8,
	.p_vaddr = 16,
	.p_filesz = 32,
	.p_memsz = 40,
	.y_value = 8,
	.y_size = 16,
};

uint64_t stw_elf_number(bool big, const uint8_t *bytes, unsigned size)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)bytes[i] << 8 * (big ? size - 1 - i : i);
	return v;
}

static uint64_t word(const stw_elf *e, const uint8_t *p)
{
	return stw_elf_number(e->big, p, stw_elf_word(e));
}

static uint32_t half(const stw_elf *e, const uint8_t *p)
{
	return (uint32_t)stw_elf_number(e->big, p, 2);
}

static bool within(const stw_elf *e, uint64_t offset, uint64_t size)
{
	return offset <= e->source->size && size <= e->source->size - offset;
}

/* All of it, or false. */
static bool read_file(const stw_elf *e, uint64_t offset, void *buffer, size_t size)
{
	stwatch_error error;
	size_t got;
	return within(e, offset, size) && stw_source_read(e->source, offset, buffer, size, &got, &error) == STWATCH_OK && got == size;
}

/* ---- sections ---- */

static void take_section(const stw_elf *e, const layout *l, const uint8_t *p, stw_elf_section *s, uint32_t *name)
{
	*name = (uint32_t)stw_elf_number(e->big, p, 4);
	*s = (stw_elf_section){
		.name = "",
		.type = (uint32_t)stw_elf_number(e->big, p + 4, 4),
		.flags = word(e, p + l->s_flags),
		.addr = word(e, p + l->s_addr),
		.offset = word(e, p + l->s_offset),
		.size = word(e, p + l->s_size),
		.link = (uint32_t)stw_elf_number(e->big, p + l->s_link, 4),
	};
}

/* The names of all sections, NUL-terminated; NULL with *size 0 where there are none. */
static char *section_names(const stw_elf *e, stw_arena *arena, const stw_elf_section *s, size_t *size)
{
	*size = 0;
	if (s->type == NO_BITS || s->size == 0 || s->size > NAMES_MAX || !within(e, s->offset, s->size))
		return stw_arena_zalloc(arena, 1);
	char *names = stw_arena_zalloc(arena, (size_t)s->size + 1);
	if (names && read_file(e, s->offset, names, (size_t)s->size))
		*size = (size_t)s->size;
	return names;
}

static bool read_sections(stw_elf *e, stw_arena *arena, const layout *l, const uint8_t *header)
{
	uint64_t at = word(e, header + l->shoff), n = half(e, header + l->phentsize + 6), index = half(e, header + l->phentsize + 8);
	uint8_t one[64];
	if (at == 0 || half(e, header + l->phentsize + 4) != l->section || !read_file(e, at, one, l->section))
		return true;
	stw_elf_section first;
	uint32_t name;
	take_section(e, l, one, &first, &name);
	n = n ? n : first.size; /* more than a header can say */
	index = index == 0xffff ? first.link : index;
	if (n == 0 || n > SECTIONS_MAX || !within(e, at, n * l->section))
		return true;
	stw_elf_section *all = stw_arena_zalloc(arena, (size_t)n * sizeof *all);
	uint32_t *names = stw_mem_zalloc(e->mem, (size_t)n * sizeof *names);
	bool ok = all && names;
	for (uint64_t i = 0; ok && i < n; i++)
		if (read_file(e, at + i * l->section, one, l->section))
			take_section(e, l, one, &all[i], &names[i]);
	e->n_sections = ok ? (size_t)n : 0;
	size_t size = 0;
	char *text = ok && index < e->n_sections ? section_names(e, arena, &all[index], &size) : NULL;
	ok = ok && (text || index >= e->n_sections);
	for (size_t i = 0; ok && i < e->n_sections; i++)
		if (names[i] < size)
			all[i].name = text + names[i];
	stw_mem_free(e->mem, names, (size_t)n * sizeof *names);
	e->sections = all;
	return ok;
}

/* ---- segments ---- */

static bool read_segments(stw_elf *e, stw_arena *arena, const layout *l, const uint8_t *header)
{
	uint64_t at = word(e, header + l->phoff), n = half(e, header + l->phentsize + 2);
	uint8_t one[64];
	if (n == 0 || n > SEGMENTS_MAX || half(e, header + l->phentsize) != l->segment || !within(e, at, n * l->segment))
		return true;
	stw_elf_segment *all = stw_arena_zalloc(arena, (size_t)n * sizeof *all);
	if (!all)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!read_file(e, at + i * l->segment, one, l->segment) || stw_elf_number(e->big, one, 4) != LOAD)
			continue;
		uint32_t flags = (uint32_t)stw_elf_number(e->big, one + l->p_flags, 4);
		stw_elf_segment s = {
			.addr = word(e, one + l->p_vaddr),
			.memory = word(e, one + l->p_memsz),
			.offset = word(e, one + l->p_offset),
			.size = word(e, one + l->p_filesz),
			.executable = flags & 1,
			.writable = flags & 2,
		};
		if (s.offset > e->source->size || s.addr > UINT64_MAX - s.memory)
			continue;
		if (s.size > e->source->size - s.offset) /* the file is cut */
			s.size = e->source->size - s.offset;
		all[e->n_segments++] = s;
	}
	e->segments = all;
	return true;
}

stwatch_status stw_elf_open(stw_elf *e, stw_mem *mem, stw_arena *arena, const stw_source *source, stwatch_error *error)
{
	uint8_t header[64] = {0};
	*e = (stw_elf){.source = source, .mem = mem};
	if (!read_file(e, 0, header, 16))
		return stw_fail(error, STWATCH_ERR_DAMAGED, source->size, "the file ends within the ELF header (64 bytes were expected)");
	e->wide = header[4] == 2;
	e->big = header[5] == 2;
	const layout *l = e->wide ? &WIDE : &NARROW;
	if (header[4] < 1 || header[4] > 2 || header[5] < 1 || header[5] > 2)
		return stw_fail(error, STWATCH_ERR_DAMAGED, 4, "the ELF header has no valid class or byte order (1 or 2 was expected)");
	if (!read_file(e, 0, header, l->header))
		return stw_fail(error, STWATCH_ERR_DAMAGED, source->size, "the file ends within the ELF header (%u bytes were expected)",
			l->header);
	e->type = (uint16_t)half(e, header + 16);
	e->machine = (uint16_t)half(e, header + 18);
	if (!read_sections(e, arena, l, header) || !read_segments(e, arena, l, header))
		return stw_fail_memory(error);
	return STWATCH_OK;
}

const stw_elf_section *stw_elf_section_named(const stw_elf *e, const char *name)
{
	for (size_t i = 0; i < e->n_sections; i++)
		if (e->sections[i].type != NO_BITS && strcmp(e->sections[i].name, name) == 0)
			return &e->sections[i];
	return NULL;
}

const stw_elf_segment *stw_elf_segment_at(const stw_elf *e, uint64_t address)
{
	for (size_t i = 0; i < e->n_segments; i++)
		if (address >= e->segments[i].addr && address - e->segments[i].addr < e->segments[i].memory)
			return &e->segments[i];
	return NULL;
}

bool stw_elf_read(const stw_elf *e, uint64_t address, void *buffer, size_t size)
{
	const stw_elf_segment *s = stw_elf_segment_at(e, address);
	uint64_t into = s ? address - s->addr : 0;
	return s && into <= s->size && size <= s->size - into && read_file(e, s->offset + into, buffer, size);
}

/* ---- symbols ---- */

static void match(const stw_elf *e, const layout *l, const uint8_t *p, const char *text, size_t size, const char *const *names, size_t n,
	stw_elf_symbol *out)
{
	uint32_t name = (uint32_t)stw_elf_number(e->big, p, 4);
	if (name >= size)
		return;
	for (size_t i = 0; i < n; i++)
		if (out[i].value == 0 && strcmp(text + name, names[i]) == 0)
			out[i] = (stw_elf_symbol){word(e, p + l->y_value), word(e, p + l->y_size)};
}

bool stw_elf_symbols(const stw_elf *e, const char *const *names, size_t n, stw_elf_symbol *out)
{
	const layout *l = e->wide ? &WIDE : &NARROW;
	const stw_elf_section *table = NULL;
	uint8_t chunk[170 * 24];
	memset(out, 0, n * sizeof *out);
	for (size_t i = 0; i < e->n_sections && !table; i++)
		if (e->sections[i].type == SYMTAB && within(e, e->sections[i].offset, e->sections[i].size))
			table = &e->sections[i];
	const stw_elf_section *strings = table && table->link < e->n_sections ? &e->sections[table->link] : NULL;
	if (!strings || strings->type == NO_BITS || strings->size > SYMBOL_NAMES_MAX || !within(e, strings->offset, strings->size))
		return true;
	size_t size = (size_t)strings->size;
	char *text = stw_mem_zalloc(e->mem, size + 1);
	if (!text)
		return false;
	bool ok = read_file(e, strings->offset, text, size);
	for (uint64_t at = 0; ok && at + l->symbol <= table->size;) {
		uint64_t left = table->size - at, take = sizeof chunk / l->symbol * l->symbol;
		take = left < take ? left / l->symbol * l->symbol : take;
		ok = read_file(e, table->offset + at, chunk, (size_t)take);
		for (uint64_t i = 0; ok && i < take; i += l->symbol)
			match(e, l, chunk + i, text, size, names, n, out);
		at += take;
	}
	stw_mem_free(e->mem, text, size + 1);
	return true;
}
