#include "output/naming.h"

#include <string.h>

#include "analysis/places.h"

bool stw_naming_is_label(const stw_string *s)
{
	static const char gc[] = "GC (", none[] = "Not worker";
	return s->length < STW_PSEUDONYM_MAX &&
		((s->length > strlen(gc) && memcmp(s->data, gc, strlen(gc)) == 0) ||
			(s->length == strlen(none) && memcmp(s->data, none, s->length) == 0));
}

void stw_naming_ids(const stw_generation *gen, stw_string_use *strings)
{
	const stw_ids *ids = &gen->string_ids;
	for (uint64_t id = 0; id < ids->n_dense; id++)
		if (ids->dense[id] != STW_MAP_NONE)
			strings[ids->dense[id]].id = id;
	for (size_t i = 0; ids->map.count && i <= ids->map.mask; i++)
		if (ids->map.entries[i].value != STW_MAP_NONE)
			strings[ids->map.entries[i].value].id = ids->map.entries[i].key;
}

void stw_naming_frames(const stw_generation *gen, stw_string_use *strings)
{
	for (size_t i = 0; i < gen->frames.count; i++) {
		const stw_v2_frame *f = &gen->frames.items[i];
		stw_string_use *file = &strings[f->file];
		bool library = stw_is_library(gen->strings.items[f->func].data);
		strings[f->func].uses |= STW_AS_FUNCTION;
		/* A file that is the program's anywhere is the program's. */
		file->function = !library ? 0 : file->uses & STW_AS_FILE ? (file->function ? f->func : 0) : f->func;
		file->uses |= STW_AS_FILE;
	}
}

bool stw_naming_split(const stw_generation *gen, stw_string_use *strings)
{
	uint64_t id = 0;
	bool any = false;
	for (size_t i = 1; i < gen->strings.count; i++) {
		if (!(strings[i].uses & STW_AS_TEXT) || strings[i].uses == STW_AS_TEXT)
			continue;
		do
			id++;
		while (stw_generation_string(gen, id) != STW_MAP_NONE);
		strings[i].text_id = id;
		any = true;
	}
	return any;
}

size_t stw_naming_name(const uint8_t key[static STW_KEY_SIZE], const stw_generation *gen, const stw_string_use *strings, size_t index,
	char out[static STW_PSEUDONYM_MAX])
{
	const stw_string *s = &gen->strings.items[index];
	const stw_string_use *use = &strings[index];
	if (use->uses & STW_AS_REASON) {
		memcpy(out, s->data, s->length);
		return s->length;
	}
	if (use->uses & STW_AS_FUNCTION)
		return stw_pseudonym_function(key, s->data, s->length, out);
	if (use->uses & STW_AS_FILE)
		return stw_pseudonym_file(key, s->data, s->length, use->function ? gen->strings.items[use->function].data : NULL, out);
	return stw_pseudonym_text(key, s->data, s->length, out);
}
