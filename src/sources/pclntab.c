#include "sources/pclntab.h"

#include <string.h>

#include "sources/elf.h"

/* The fields of a function's record, as numbers of 4 bytes after its entry. */
enum { F_NAME = 1, F_FILE = 5, F_LINE = 6, F_VALUES = 7, F_UNIT = 8 };
/* Numbers of tables of values by address, and of what else is kept of a function (internal/abi/symtab.go). */
enum { VALUES_INLINED = 2, DATA_INLINED = 3 };
enum { NAME_MAX_BYTES = 16 << 10, FUNCTIONS_MAX = 1 << 26, STEPS_MAX = 1 << 17 };

static const struct {
	uint32_t magic;
	stw_pcln_version version;
	const char *era;
} ERAS[] = {
	{0xfffffffb, STW_PCLN_GO12, "Go 1.2 to 1.15"},
	{0xfffffffa, STW_PCLN_GO116, "Go 1.16, 1.17"},
	{0xfffffff0, STW_PCLN_GO118, "Go 1.18, 1.19"},
	{0xfffffff1, STW_PCLN_GO120, "Go 1.20 and later"},
};

static bool has(const stw_pclntab *t, uint64_t offset, uint64_t size)
{
	return offset <= t->size && size <= t->size - offset;
}

/* A number of the table; false where it ends before. */
static bool number(const stw_pclntab *t, uint64_t offset, unsigned size, uint64_t *out)
{
	if (!has(t, offset, size))
		return false;
	*out = stw_elf_number(t->big, t->data + offset, size);
	return true;
}

static bool text_at(const stw_pclntab *t, uint64_t base, uint64_t offset, const char **out)
{
	if (offset > UINT32_MAX || !has(t, base, offset) || !has(t, base + offset, 1))
		return false;
	uint64_t at = base + offset, most = t->size - at < NAME_MAX_BYTES ? t->size - at : NAME_MAX_BYTES;
	if (!memchr(t->data + at, 0, (size_t)most))
		return false;
	*out = (const char *)t->data + at;
	return true;
}

/* ---- the head ---- */

static bool take_magic(stw_pclntab *t)
{
	for (int big = 0; big < 2; big++)
		for (size_t i = 0; i < sizeof ERAS / sizeof *ERAS; i++)
			if (stw_elf_number(big, t->data, 4) == ERAS[i].magic) {
				t->version = ERAS[i].version;
				t->big = big;
				return true;
			}
	return false;
}

bool stw_pclntab_begins(const uint8_t *data, size_t size)
{
	stw_pclntab t = {.data = data, .size = size};
	return size >= 8 && take_magic(&t) && data[4] == 0 && data[5] == 0 && (data[6] == 1 || data[6] == 2 || data[6] == 4) &&
		(data[7] == 4 || data[7] == 8);
}

static uint64_t entry_size(const stw_pclntab *t)
{
	return t->version >= STW_PCLN_GO118 ? 4 : t->word;
}

static bool head_word(const stw_pclntab *t, unsigned index, uint64_t *out)
{
	return number(t, 8 + (uint64_t)index * t->word, t->word, out);
}

/* To Go 1.15 it is all one: offsets count from the beginning, and the files stand behind the functions. */
static bool head_of_12(stw_pclntab *t)
{
	uint64_t offset;
	if (!head_word(t, 0, &t->functions) || t->functions > FUNCTIONS_MAX)
		return false;
	t->table = 8 + t->word;
	if (!number(t, t->table + (t->functions * 2 + 1) * t->word, 4, &offset) || !number(t, offset, 4, &t->files))
		return false;
	t->file_names = offset;
	return true;
}

static bool head_of_116(stw_pclntab *t)
{
	const unsigned skip = t->version >= STW_PCLN_GO118; /* where the text begins is a word of its own */
	return head_word(t, 0, &t->functions) && head_word(t, 1, &t->files) && (!skip || head_word(t, 2, &t->stated_text)) &&
		head_word(t, skip + 2, &t->names) && head_word(t, skip + 3, &t->units) && head_word(t, skip + 4, &t->file_names) &&
		head_word(t, skip + 5, &t->values) && head_word(t, skip + 6, &t->table);
}

bool stw_pclntab_open(stw_pclntab *t, const uint8_t *data, size_t size)
{
	*t = (stw_pclntab){.data = data, .size = size};
	if (!stw_pclntab_begins(data, size))
		return false;
	take_magic(t);
	t->quantum = data[6];
	t->word = data[7];
	if (!(t->version == STW_PCLN_GO12 ? head_of_12(t) : head_of_116(t)))
		return false;
	t->text = t->stated_text;
	return t->functions > 0 && t->functions <= FUNCTIONS_MAX && has(t, t->table, (t->functions * 2 + 1) * entry_size(t)) &&
		has(t, t->names, 1) && has(t, t->units, 1) && has(t, t->file_names, 1) && has(t, t->values, 1);
}

const char *stw_pclntab_era(const stw_pclntab *t)
{
	for (size_t i = 0; i < sizeof ERAS / sizeof *ERAS; i++)
		if (ERAS[i].version == t->version)
			return ERAS[i].era;
	return "?";
}

/* ---- functions ---- */

/* The address at which a function begins; of index `functions`: at which the last one ends. */
static uint64_t entry_of(const stw_pclntab *t, uint64_t index)
{
	uint64_t v = 0, step = entry_size(t);
	number(t, t->table + index * 2 * step, (unsigned)step, &v);
	return t->version >= STW_PCLN_GO118 ? t->text + v : v;
}

bool stw_pclntab_function(const stw_pclntab *t, uint64_t index, stw_pcln_function *out)
{
	uint64_t step = entry_size(t), name;
	if (index >= t->functions)
		return false;
	*out = (stw_pcln_function){.index = index, .entry = entry_of(t, index), .end = entry_of(t, index + 1)};
	if (!number(t, t->table + (index * 2 + 1) * step, (unsigned)step, &out->info))
		return false;
	if (t->version > STW_PCLN_GO12) { /* it counts from the table of functions */
		if (!has(t, t->table, out->info))
			return false;
		out->info += t->table;
	}
	if (out->info > t->size || out->end < out->entry)
		return false;
	return number(t, out->info + entry_size(t) + (size_t)4 * (F_NAME - 1), 4, &name) && text_at(t, t->names, name, &out->name);
}

bool stw_pclntab_find(const stw_pclntab *t, uint64_t address, stw_pcln_function *out)
{
	uint64_t low = 0, high = t->functions;
	if (address < entry_of(t, 0) || address >= entry_of(t, t->functions))
		return false;
	while (high - low > 1) { /* entry_of(low) <= address < entry_of(high), as far as they are in order */
		uint64_t middle = low + (high - low) / 2;
		if (entry_of(t, middle) <= address)
			low = middle;
		else
			high = middle;
	}
	return stw_pclntab_function(t, low, out) && address >= out->entry && address < out->end;
}

void stw_pclntab_range(const stw_pclntab *t, uint64_t *begin, uint64_t *end)
{
	*begin = entry_of(t, 0);
	*end = entry_of(t, t->functions);
}

/* ---- files and lines ---- */

static bool varint(const stw_pclntab *t, uint64_t *at, uint32_t *out)
{
	uint32_t v = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (*at >= t->size)
			return false;
		uint8_t b = t->data[(*at)++];
		v |= (uint32_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

/* A table of values by address: pairs of differences, of the value and of the address until which it holds; a 0 ends it. */
static bool value_at(const stw_pclntab *t, const stw_pcln_function *f, uint64_t offset, uint64_t address, int32_t *value)
{
	uint64_t at = t->values + offset, pc = f->entry;
	uint32_t v = UINT32_MAX, difference, span; /* -1 */
	if (offset == 0 || !has(t, t->values, offset))
		return false;
	for (unsigned steps = 0; pc <= address; steps++) {
		const bool first = steps == 0;
		if (steps == STEPS_MAX || !varint(t, &at, &difference) || (difference == 0 && !first) || !varint(t, &at, &span) ||
			(span == 0 && !first))
			return false;
		v += difference & 1 ? ~(difference >> 1) : difference >> 1;
		pc += (uint64_t)span * t->quantum;
	}
	*value = (int32_t)v;
	return true;
}

static bool field_value(const stw_pclntab *t, const stw_pcln_function *f, unsigned field, uint64_t address, int32_t *value)
{
	uint64_t offset;
	return number(t, f->info + entry_size(t) + (uint64_t)(field - 1) * 4, 4, &offset) && value_at(t, f, offset, address, value);
}

static bool file_name(const stw_pclntab *t, const stw_pcln_function *f, int32_t number_of_file, const char **out)
{
	uint64_t unit = 0, name;
	if (number_of_file < 0)
		return false;
	if (t->version == STW_PCLN_GO12)
		return number_of_file > 0 && (uint64_t)number_of_file < t->files &&
			number(t, t->file_names + (uint64_t)number_of_file * 4, 4, &name) && text_at(t, 0, name, out);
	return number(t, f->info + entry_size(t) + (size_t)4 * (F_UNIT - 1), 4, &unit) &&
		number(t, t->units + (unit + (uint64_t)number_of_file) * 4, 4, &name) && name != UINT32_MAX &&
		text_at(t, t->file_names, name, out);
}

void stw_pclntab_line(const stw_pclntab *t, const stw_pcln_function *f, uint64_t address, const char **file, uint32_t *line)
{
	int32_t n;
	*file = "";
	*line = 0;
	if (field_value(t, f, F_FILE, address, &n))
		file_name(t, f, n, file);
	if (field_value(t, f, F_LINE, address, &n) && n > 0)
		*line = (uint32_t)n;
}

/* ---- what was inlined ---- */

/* Behind the fixed part: how many tables of values and of other data there are; then their offsets. */
static bool tables_of(const stw_pclntab *t, const stw_pcln_function *f, uint64_t *at, uint64_t *values, uint64_t *data)
{
	if (t->version < STW_PCLN_GO118)
		return false;
	uint64_t counts = f->info + entry_size(t) + (size_t)4 * (F_UNIT + (t->version >= STW_PCLN_GO120));
	*at = counts + 4;
	return number(t, f->info + entry_size(t) + (size_t)4 * (F_VALUES - 1), 4, values) && number(t, counts + 3, 1, data);
}

bool stw_pclntab_tree(const stw_pclntab *t, const stw_pcln_function *f, uint32_t *offset)
{
	uint64_t at, values, data, v;
	if (!tables_of(t, f, &at, &values, &data) || data <= DATA_INLINED || !number(t, at + (values + DATA_INLINED) * 4, 4, &v) ||
		v == UINT32_MAX)
		return false;
	*offset = (uint32_t)v;
	return true;
}

int32_t stw_pclntab_inlined(const stw_pclntab *t, const stw_pcln_function *f, uint64_t address)
{
	uint64_t at, values, data, offset;
	int32_t index;
	if (!tables_of(t, f, &at, &values, &data) || values <= VALUES_INLINED || !number(t, at + (size_t)4 * VALUES_INLINED, 4, &offset) ||
		!value_at(t, f, offset, address, &index))
		return -1;
	return index;
}

bool stw_pclntab_name(const stw_pclntab *t, uint32_t number_of_name, const char **name)
{
	return text_at(t, t->names, number_of_name, name);
}
