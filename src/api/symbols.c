#include "api/symbols.h"

static bool fits(void *user, const stw_code_addresses *addresses)
{
	stw_symbols *s = user;
	s->asked = true;
	s->from = NULL;
	for (size_t i = 0; i < s->companions->count && !s->from; i++) {
		const stw_binary *b = stw_companion_binary(s->companions->items[i]);
		if (!b)
			continue;
		s->fit = stw_binary_try(b, addresses);
		if (s->fit.fits)
			s->from = s->companions->items[i];
	}
	return s->from != NULL;
}

static bool name(void *user, uint64_t address, stw_code_name *out)
{
	const stw_symbols *s = user;
	return s->from && stw_binary_name(stw_companion_binary(s->from), address - s->fit.slide, out);
}

void stw_symbols_init(stw_symbols *s, const stw_companions *companions)
{
	*s = (stw_symbols){.companions = companions};
	s->namer = (stw_namer){.user = s, .fits = fits, .name = name};
}

bool stw_symbols_any(const stw_symbols *s)
{
	for (size_t i = 0; i < s->companions->count; i++)
		if (stw_companion_binary(s->companions->items[i]))
			return true;
	return false;
}
