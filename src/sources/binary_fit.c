/* Whether addresses are those of a binary's process. A wrong name is worse than none, so all of the following must hold: the versions
 * agree; goroutines begin exactly where functions begin; calls return into functions, past their beginnings; and what stands before a
 * return address is a call, where this machine's calls are known. Of another build of the same program, some of it never holds. */
#include <string.h>

#include "sources/binary.h"

enum { ARM64 = 183, CALLS_MAX = 4096, PAGE = 4096, BEFORE = 7, SLIDES_MAX = 1 << 16 };

/* ---- calls ---- */

static bool x86_call(const uint8_t *before) /* BEFORE bytes, up to the return address */
{
	if (before[BEFORE - 5] == 0xe8) /* call, to a distance of 32 bits */
		return true;
	for (unsigned length = 2; length <= BEFORE; length++) /* call, through a register or memory */
		if (before[BEFORE - length] == 0xff && (before[BEFORE - length + 1] >> 3 & 7) == 2)
			return true;
	return false;
}

static bool arm64_call(const uint8_t *before)
{
	uint32_t w = (uint32_t)stw_elf_number(false, &before[BEFORE - 4], 4);
	return (w & 0xfc000000) == 0x94000000 || (w & 0xfffffc1f) == 0xd63f0000; /* bl, blr */
}

static bool knows_calls(const stw_binary *b)
{
	return b->elf.machine == STW_ELF_386 || b->elf.machine == STW_ELF_AMD64 || b->elf.machine == ARM64;
}

static bool follows_call(const stw_binary *b, uint64_t address)
{
	uint8_t before[BEFORE];
	if (!stw_elf_read(&b->elf, address - BEFORE, before, sizeof before))
		return false;
	return b->elf.machine == ARM64 ? arm64_call(before) : x86_call(before);
}

/* ---- one slide ---- */

static bool begins_function(const stw_binary *b, uint64_t address)
{
	stw_pcln_function f;
	return stw_pclntab_find(&b->lines, address, &f) && f.entry == address;
}

static void count_starts(const stw_binary *b, const stw_code_addresses *a, stw_binary_fit *fit)
{
	fit->starts_right = 0;
	for (size_t i = 0; i < a->n_starts; i++)
		fit->starts_right += begins_function(b, a->starts[i] - fit->slide);
}

static void count_returns(const stw_binary *b, const stw_code_addresses *a, stw_binary_fit *fit)
{
	size_t step = a->n_returns / CALLS_MAX + 1, asked = 0;
	fit->returns_inside = fit->calls = 0;
	for (size_t i = 0; i < a->n_returns; i++) {
		stw_pcln_function f;
		uint64_t address = a->returns[i] - fit->slide;
		if (!stw_pclntab_find(&b->lines, address - 1, &f))
			continue;
		fit->returns_inside++;
		if (fit->checked_calls && i % step == 0) {
			asked++;
			fit->calls += follows_call(b, address);
		}
	}
	/* Of a sample: as if all had been asked. */
	fit->calls = asked ? (size_t)((double)fit->calls / (double)asked * (double)fit->returns_inside + 0.5) : 0;
}

static bool is_good(const stw_code_addresses *a, const stw_binary_fit *fit)
{
	bool starts = fit->starts_right == a->n_starts, returns = fit->returns_inside == a->n_returns;
	bool calls = !fit->checked_calls || fit->calls * 20 >= fit->returns_inside * 19;
	/* Without starts, it takes a few calls to be sure. */
	return starts && returns && calls && (a->n_starts > 0 || (fit->checked_calls && a->n_returns >= 4));
}

/* Where the process loaded a position-independent binary: pages away from where the first goroutine's function is in it, whichever
 * function that is. The slide with which everything else fits too; of several none. */
static void find_slide(const stw_binary *b, const stw_code_addresses *a, stw_binary_fit *fit)
{
	unsigned tried = 0, good = 0;
	stw_binary_fit best = *fit;
	for (uint64_t i = 0; i < b->lines.functions && a->n_starts > 0 && tried < SLIDES_MAX; i++) {
		stw_pcln_function f;
		if (!stw_pclntab_function(&b->lines, i, &f) || (a->starts[0] - f.entry) % PAGE != 0)
			continue;
		tried++;
		fit->slide = a->starts[0] - f.entry;
		count_starts(b, a, fit);
		if (fit->starts_right < a->n_starts)
			continue;
		count_returns(b, a, fit);
		if (!is_good(a, fit))
			continue;
		good++;
		best = *fit;
	}
	*fit = best;
	if (good != 1)
		fit->why_not = good ? "it was loaded anywhere, and more than one place would do"
				    : "wherever it may have been loaded, the trace's addresses are not those of its functions";
	fit->fits = good == 1;
}

static const char *versions_differ(const stw_binary *b, const stw_code_addresses *a)
{
	/* The header go 1.5 is that of Go 1.5 and 1.6. */
	if (a->minor < 7 && b->minor && b->minor != 5 && b->minor != 6)
		return "the trace was written by Go 1.5 or 1.6, and it was built by another";
	if (a->minor < 7 && b->lines.version != STW_PCLN_GO12)
		return "the trace was written by Go 1.5 or 1.6, and its table of functions is of a later Go";
	return NULL;
}

stw_binary_fit stw_binary_try(const stw_binary *b, const stw_code_addresses *a)
{
	stw_binary_fit fit = {.starts = a->n_starts, .returns = a->n_returns, .checked_calls = knows_calls(b)};
	if (b->lines.version == STW_PCLN_NONE) {
		fit.why_not = "its table of functions could not be read";
		return fit;
	}
	fit.why_not = versions_differ(b, a);
	if (fit.why_not)
		return fit;
	if (b->position_independent && !a->placed) {
		find_slide(b, a, &fit);
		return fit;
	}
	count_starts(b, a, &fit);
	count_returns(b, a, &fit);
	fit.fits = is_good(a, &fit);
	if (!fit.fits)
		fit.why_not = "the addresses are not those of its functions: it is of another program, or another build";
	return fit;
}
