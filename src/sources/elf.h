/* The little of an ELF file that is needed to find Go's tables in it: sections and loaded segments by name and address, symbols by name.
 * 32 and 64 bits, both byte orders. Every size and offset of the file is checked before it is used; what makes no sense counts as absent.
 * Format: System V ABI, chapter 4 (elf(5)). */
#ifndef STW_SOURCES_ELF_H
#define STW_SOURCES_ELF_H

#include "base/arena.h"
#include "wire/source.h"

enum { STW_ELF_EXEC = 2, STW_ELF_DYN = 3, STW_ELF_CORE = 4 }; /* types */
enum { STW_ELF_386 = 3, STW_ELF_AMD64 = 62 }; /* machines that are told apart */

typedef struct stw_elf_section {
	const char *name; /* "" where there is none */
	uint32_t type, link;
	uint64_t flags, addr, offset, size;
} stw_elf_section;

typedef struct stw_elf_segment {
	uint64_t addr, memory; /* loaded to, and its size there */
	uint64_t offset, size; /* in the file */
	bool executable, writable;
} stw_elf_segment;

typedef struct stw_elf {
	const stw_source *source; /* must stay open */
	stw_mem *mem;
	bool wide, big; /* 64 bits, big-endian */
	uint16_t type, machine;
	const stw_elf_section *sections;
	size_t n_sections;
	const stw_elf_segment *segments; /* those that are loaded */
	size_t n_segments;
} stw_elf;

typedef struct stw_elf_symbol {
	uint64_t value, size;
} stw_elf_symbol;

/* Reads the headers; the tables come from the arena. STWATCH_ERR_DAMAGED where the file's own header is cut or can't be, with what is
 * wrong in *error; _MEMORY, _IO. Sections or segments that lie outside the file are left out. */
stwatch_status stw_elf_open(stw_elf *elf, stw_mem *mem, stw_arena *arena, const stw_source *source, stwatch_error *error);

/* The first section of a name that has bytes in the file, NULL: there is none. */
const stw_elf_section *stw_elf_section_named(const stw_elf *elf, const char *name);
/* The segment that an address is in, NULL: none. */
const stw_elf_segment *stw_elf_segment_at(const stw_elf *elf, uint64_t address);
/* Reads what is loaded to an address. False: not all of it is in the file, or it can't be read. Thread-safe. */
bool stw_elf_read(const stw_elf *elf, uint64_t address, void *buffer, size_t size);
/* Looks for symbols by name, in one pass: out[i] for names[i], value 0 where there is none. False: out of memory. */
bool stw_elf_symbols(const stw_elf *elf, const char *const *names, size_t n, stw_elf_symbol *out);

/* Numbers as this file has them. The caller has checked that the bytes are there. */
uint64_t stw_elf_number(bool big, const uint8_t *bytes, unsigned size);
static inline unsigned stw_elf_word(const stw_elf *elf)
{
	return elf->wide ? 8 : 4;
}

#endif
