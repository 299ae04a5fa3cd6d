/* What only the runtime's record of the module (runtime.moduledata) tells: where addresses count from, and where the trees of inlined
 * calls are. To Go 1.25 it has no section of its own: it is where its symbol is, else where a pointer to the table of functions stands.
 * Format: runtime/symtab.go, of Go 1.18 to 1.26. */
#include "sources/binary.h"

#include <string.h>

enum { RELOCATION = 24, WINDOW = 64 << 10, WORD_MAX = 8 };
/* Words of the record. Two were put in before the last one by Go 1.20. */
enum { MODULE_TEXT = 22, MODULE_INLINED = 38, MODULE_INLINED_GO120 = 40 };

/* In a position-independent binary: what the linker left to the loader, for an address; 0: nothing. */
static uint64_t relocated(const stw_binary *b, uint64_t address)
{
	uint8_t chunk[RELOCATION * 256];
	const stw_elf_section *s = stw_elf_section_named(&b->elf, ".rela.dyn");
	for (uint64_t at = 0; s && b->elf.wide && at < s->size; at += sizeof chunk) {
		stwatch_error error;
		size_t got, take = s->size - at < sizeof chunk ? (size_t)(s->size - at) : sizeof chunk;
		if (stw_source_read(&b->source, s->offset + at, chunk, take, &got, &error) != STWATCH_OK || got == 0)
			return 0;
		for (size_t i = 0; i + RELOCATION <= got; i += RELOCATION)
			if (stw_elf_number(b->elf.big, chunk + i, 8) == address)
				return stw_elf_number(b->elf.big, chunk + i + 16, 8);
	}
	return 0;
}

static bool is_code(const stw_binary *b, uint64_t address)
{
	const stw_elf_segment *s = stw_elf_segment_at(&b->elf, address);
	return s && s->executable;
}

/* A word of the record; 0: it can't be read. */
static uint64_t word_of(const stw_binary *b, uint64_t module, unsigned index)
{
	uint8_t bytes[WORD_MAX];
	const unsigned word = stw_elf_word(&b->elf);
	uint64_t at = module + (uint64_t)index * word;
	if (!module || !stw_elf_read(&b->elf, at, bytes, word))
		return 0;
	uint64_t value = stw_elf_number(b->elf.big, bytes, word);
	return value || !b->position_independent ? value : relocated(b, at);
}

uint64_t stw_binary_address(const stw_binary *b, uint64_t offset)
{
	for (size_t i = 0; i < b->elf.n_segments; i++) {
		const stw_elf_segment *s = &b->elf.segments[i];
		if (offset >= s->offset && offset - s->offset < s->size)
			return s->addr + (offset - s->offset);
	}
	return 0;
}

/* Whether the record is there: it names the text that the table of functions counts from. */
static bool is_module(const stw_binary *b, uint64_t module)
{
	return b->lines.text && word_of(b, module, MODULE_TEXT) == b->lines.text;
}

/* The first pointer to the table of functions that begins a record, in what is loaded and no code. */
static uint64_t scan(const stw_binary *b, uint64_t table, uint8_t *window)
{
	const unsigned word = stw_elf_word(&b->elf);
	stwatch_error error;
	size_t got;
	for (size_t i = 0; i < b->elf.n_segments; i++) {
		const stw_elf_segment *s = &b->elf.segments[i];
		for (uint64_t at = 0; !s->executable && at < s->size; at += WINDOW) {
			uint64_t left = s->size - at;
			if (stw_source_read(&b->source, s->offset + at, window, left < WINDOW ? (size_t)left : WINDOW, &got, &error) !=
				STWATCH_OK)
				break;
			for (size_t k = 0; k + word <= got; k += word)
				if (stw_elf_number(b->elf.big, window + k, word) == table && is_module(b, s->addr + at + k))
					return s->addr + at + k;
		}
	}
	return 0;
}

/* False: out of memory. */
static bool find_inlined(stw_binary *b, uint64_t module)
{
	const uint64_t table = stw_binary_address(b, b->table_offset);
	if (!is_module(b, module)) {
		uint8_t *window = stw_mem_zalloc(b->mem, WINDOW);
		if (!window)
			return false;
		module = table ? scan(b, table, window) : 0;
		stw_mem_free(b->mem, window, WINDOW);
	}
	if (module)
		b->inlined = word_of(b, module, b->lines.version >= STW_PCLN_GO120 ? MODULE_INLINED_GO120 : MODULE_INLINED);
	return true;
}

/* Where addresses count from its own head says, to Go 1.25 and where nothing is relocated; else the record does, which has a section since
 * Go 1.26; else a symbol; else the code begins there. */
bool stw_binary_find_module(stw_binary *b)
{
	static const char *const NAMES[] = {"runtime.text", "runtime.firstmoduledata"};
	stw_elf_symbol symbols[2];
	const stw_elf_section *section = stw_elf_section_named(&b->elf, ".go.module"), *text = stw_elf_section_named(&b->elf, ".text");
	if (!stw_elf_symbols(&b->elf, NAMES, 2, symbols))
		return false;
	const uint64_t module = section ? section->addr : symbols[1].value;
	const uint64_t candidates[] = {b->lines.stated_text, symbols[0].value, word_of(b, module, MODULE_TEXT), text ? text->addr : 0};
	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
		b->lines.text = candidates[i];
		if (is_code(b, candidates[i]))
			break;
	}
	return find_inlined(b, module);
}

/* ---- names ---- */

bool stw_binary_name(const stw_binary *b, uint64_t address, stw_code_name *out)
{
	stw_pcln_function f;
	if (!stw_pclntab_find(&b->lines, address, &f))
		return false;
	out->function = f.name;
	stw_pclntab_line(&b->lines, &f, address, &out->file, &out->line);
	return true;
}

/* A call that was inlined, of a tree: the function's name, and an address of the function that it is in whose line is that of the call. */
static bool read_call(const stw_binary *b, uint64_t tree, uint32_t index, const stw_pcln_function *f, const char **name, uint64_t *parent)
{
	uint8_t bytes[20];
	const bool later = b->lines.version >= STW_PCLN_GO120;
	const unsigned size = later ? 16 : 20, at_name = later ? 4 : 12, at_parent = later ? 8 : 16;
	if (!stw_elf_read(&b->elf, tree + (uint64_t)index * size, bytes, size))
		return false;
	*parent = f->entry + stw_elf_number(b->elf.big, bytes + at_parent, 4);
	return *parent < f->end && stw_pclntab_name(&b->lines, (uint32_t)stw_elf_number(b->elf.big, bytes + at_name, 4), name);
}

size_t stw_binary_frames(const stw_binary *b, uint64_t address, stw_code_name *out, size_t most)
{
	stw_pcln_function f;
	uint32_t offset;
	size_t n = 0;
	if (!stw_pclntab_find(&b->lines, address, &f))
		return 0;
	const bool has_tree = b->inlined && stw_pclntab_tree(&b->lines, &f, &offset);
	while (has_tree && n + 1 < most) { /* each step is bounded by `most`, whatever the tree says */
		int32_t index = stw_pclntab_inlined(&b->lines, &f, address);
		uint64_t parent;
		if (index < 0 || !read_call(b, b->inlined + offset, (uint32_t)index, &f, &out[n].function, &parent))
			break;
		stw_pclntab_line(&b->lines, &f, address, &out[n].file, &out[n].line);
		address = parent;
		n++;
	}
	out[n].function = f.name;
	stw_pclntab_line(&b->lines, &f, address, &out[n].file, &out[n].line);
	return n + 1;
}
