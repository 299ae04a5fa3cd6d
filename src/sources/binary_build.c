/* How a binary was built: the version of Go, and since Go 1.13 the record in .go.buildinfo.
 * Format: debug/buildinfo/buildinfo.go, runtime/debug/mod.go (ParseBuildInfo). */
#include <stdlib.h>
#include <string.h>

#include "sources/binary.h"
#include "wire/varint.h"

enum { VERSION_MAX_BYTES = 256, RECORD_MAX = 16 << 20, SEARCH_MAX = 1 << 20, HEAD = 32, FRAME = 16, SETTINGS_MAX = 256 };

static const char MAGIC[] = "\xff Go buildinf:";

/* What is loaded to an address as a text; NULL: it is not in the file, or longer than most. From the heap, `length + 1` bytes. */
static char *text_at(const stw_binary *b, uint64_t address, uint64_t length, uint64_t most)
{
	if (length == 0 || length > most || length >= b->source.size)
		return NULL;
	char *text = stw_mem_zalloc(b->mem, (size_t)length + 1);
	if (text && !stw_elf_read(&b->elf, address, text, (size_t)length)) {
		stw_mem_free(b->mem, text, (size_t)length + 1);
		text = NULL;
	}
	return text;
}

/* A Go string: its address and length stand at an address. */
static char *string_at(const stw_binary *b, uint64_t address, uint64_t most, size_t *length)
{
	uint8_t head[16];
	const unsigned word = stw_elf_word(&b->elf);
	*length = 0;
	if (!stw_elf_read(&b->elf, address, head, (size_t)word * 2))
		return NULL;
	uint64_t size = stw_elf_number(b->elf.big, head + word, word);
	char *text = text_at(b, stw_elf_number(b->elf.big, head, word), size, most);
	*length = text ? (size_t)size : 0;
	return text;
}

/* A text after its length; *address moves behind it. */
static char *inline_at(const stw_binary *b, uint64_t *address, uint64_t most, size_t *length)
{
	uint8_t head[10];
	size_t got = sizeof head;
	uint64_t size;
	*length = 0;
	while (got > 0 && !stw_elf_read(&b->elf, *address, head, got))
		got--;
	const uint8_t *after = stw_varint_get(head, head + got, &size);
	char *text = after ? text_at(b, *address + (uint64_t)(after - head), size, most) : NULL;
	if (!text)
		return NULL;
	*address += (uint64_t)(after - head) + size;
	*length = (size_t)size;
	return text;
}

/* ---- the record's lines ---- */

static char *field(char **at)
{
	char *begin = *at, *tab = strchr(begin, '\t');
	if (tab)
		*tab = '\0';
	*at = tab ? tab + 1 : begin + strlen(begin);
	return begin;
}

static bool keep(stw_companion *c, const char *text, const char **out)
{
	*out = stw_arena_copy(&c->arena, text, strlen(text));
	return *out != NULL;
}

/* key=value, either of them quoted where it has unusual characters; what is quoted stays as it is. */
static bool add_setting(stw_binary *b, stw_companion *c, char *line)
{
	char *equals = *line == '"' || *line == '`' ? strstr(line, *line == '"' ? "\"=" : "`=") : NULL;
	equals = equals ? equals + 1 : strchr(line, '=');
	if (!equals || b->settings.count == SETTINGS_MAX)
		return true;
	*equals = '\0';
	stw_build_setting s, *slot = stw_vec_push(b->mem, &b->settings);
	if (!slot)
		return false;
	*slot = (stw_build_setting){"", ""};
	if (!keep(c, line, &s.key) || !keep(c, equals + 1, &s.value))
		return false;
	*slot = s;
	return true;
}

static bool take_line(stw_binary *b, stw_companion *c, char *line)
{
	char *rest = line, *what = field(&rest);
	if (strcmp(what, "path") == 0)
		return keep(c, rest, &b->path);
	if (strcmp(what, "mod") == 0)
		return keep(c, field(&rest), &b->module) && keep(c, field(&rest), &b->module_version);
	if (strcmp(what, "build") == 0)
		return add_setting(b, c, rest);
	b->dependencies += strcmp(what, "dep") == 0;
	return true;
}

/* It stands between two marks of 16 bytes. */
static bool take_record(stw_binary *b, stw_companion *c, char *text, size_t length)
{
	if (length < 2 * FRAME + 1 || text[length - FRAME - 1] != '\n')
		return true;
	text[length - FRAME] = '\0';
	for (char *line = text + FRAME, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (!take_line(b, c, line))
			return false;
	}
	return true;
}

/* ---- where it is ---- */

/* The address of the record's head; 0: there is none. */
static uint64_t find_head(const stw_binary *b)
{
	const stw_elf_section *s = stw_elf_section_named(&b->elf, ".go.buildinfo");
	uint64_t begin = s ? s->addr : 0, size = s ? s->size : 0;
	for (size_t i = 0; !s && i < b->elf.n_segments && size == 0; i++)
		if (b->elf.segments[i].writable && b->elf.segments[i].size > 0) {
			begin = b->elf.segments[i].addr;
			size = b->elf.segments[i].size;
		}
	begin = (begin + 15) & ~(uint64_t)15;
	uint8_t head[HEAD];
	for (uint64_t at = 0; at + HEAD <= size && at < SEARCH_MAX && stw_elf_read(&b->elf, begin + at, head, HEAD); at += 16)
		if (memcmp(head, MAGIC, sizeof MAGIC - 1) == 0)
			return begin + at;
	return 0;
}

static char *version_by_symbol(const stw_binary *b, size_t *length)
{
	static const char *const NAMES[] = {"runtime.buildVersion"};
	stw_elf_symbol symbol;
	*length = 0;
	if (!stw_elf_symbols(&b->elf, NAMES, 1, &symbol) || symbol.value == 0)
		return NULL;
	return string_at(b, symbol.value, VERSION_MAX_BYTES, length);
}

static bool take_version(stw_binary *b, stw_companion *c, const char *text)
{
	if (strncmp(text, "go1.", 4) != 0 && strncmp(text, "devel", 5) != 0)
		return true;
	const char *go = strstr(text, "go1.");
	b->minor = go ? (unsigned)strtoul(go + 4, NULL, 10) : 0;
	return keep(c, text, &b->version);
}

bool stw_binary_read_build(stw_binary *b, stw_companion *c)
{
	uint8_t head[HEAD];
	char *version = NULL, *record = NULL;
	size_t version_size = 0, record_size = 0;
	uint64_t at = find_head(b);
	const unsigned word = stw_elf_word(&b->elf);
	if (at && stw_elf_read(&b->elf, at, head, HEAD)) {
		if (head[15] & 2) { /* since Go 1.18 the texts follow; before, their addresses do */
			uint64_t next = at + HEAD;
			version = inline_at(b, &next, VERSION_MAX_BYTES, &version_size);
			record = version ? inline_at(b, &next, RECORD_MAX, &record_size) : NULL;
		} else {
			version = string_at(b, stw_elf_number(b->elf.big, head + 16, word), VERSION_MAX_BYTES, &version_size);
			record = string_at(b, stw_elf_number(b->elf.big, head + 16 + word, word), RECORD_MAX, &record_size);
		}
	}
	if (!version)
		version = version_by_symbol(b, &version_size);
	bool ok = (!version || take_version(b, c, version)) && (!record || take_record(b, c, record, record_size));
	stw_mem_free(b->mem, version, version_size + 1);
	stw_mem_free(b->mem, record, record_size + 1);
	return ok;
}
