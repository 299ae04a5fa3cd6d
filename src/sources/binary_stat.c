/* What `stat` says of a binary. */
#include "sources/binary.h"

static const struct {
	uint16_t machine;
	const char *name; /* as GOARCH has it */
} MACHINES[] = {{3, "386"}, {8, "mips"}, {20, "ppc"}, {21, "ppc64"}, {22, "s390x"}, {40, "arm"}, {62, "amd64"}, {183, "arm64"},
	{243, "riscv64"}, {258, "loong64"}};

static const char *machine_name(const stw_companion *c, const stw_binary *b)
{
	for (size_t i = 0; i < sizeof MACHINES / sizeof *MACHINES; i++)
		if (MACHINES[i].machine == b->elf.machine)
			return MACHINES[i].name;
	return stw_arena_printf((stw_arena *)(uintptr_t)&c->arena, "ELF machine %u", b->elf.machine);
}

static bool settings(stw_companion *c, const stw_binary *b)
{
	static const stwatch_column COLUMNS[] = {{"key", "setting", STWATCH_TEXT}, {"value", "", STWATCH_TEXT}};
	if (b->settings.count == 0)
		return true;
	stwatch_cell *cell = stw_companion_table(c, "settings", "build settings", COLUMNS, 2, b->settings.count, 0);
	for (size_t i = 0; cell && i < b->settings.count; i++, cell += 2) {
		cell[0].text = b->settings.items[i].key;
		cell[1].text = b->settings.items[i].value;
	}
	return cell != NULL;
}

bool stw_binary_describe(stw_companion *c)
{
	const stw_binary *b = stw_companion_binary(c);
	const bool found = b->lines.version != STW_PCLN_NONE;
	const char *text = found
		? stw_arena_printf(&c->arena, "0x%llx to 0x%llx", (unsigned long long)b->text_begin, (unsigned long long)b->text_end)
		: NULL;
	return stw_companion_text(c, "go_version", "Go version", b->version) &&
		stw_companion_text(c, "table", "table of functions", found ? stw_pclntab_era(&b->lines) : NULL) &&
		stw_companion_text(c, "machine", "machine", machine_name(c, b)) &&
		stw_companion_text(
			c, "loaded", "loaded", b->position_independent ? "anywhere (position-independent)" : "at its own addresses") &&
		stw_companion_text(c, "symbols", "symbol table", b->has_symbols ? "yes" : "stripped") &&
		stw_companion_number(c, "functions", "functions", STWATCH_COUNT, found ? (int64_t)b->lines.functions : STWATCH_UNKNOWN) &&
		stw_companion_text(c, "text", "their addresses", text) && stw_companion_text(c, "path", "main package", b->path) &&
		stw_companion_text(c, "module", "module", b->module) &&
		stw_companion_text(c, "module_version", "its version", b->module_version) &&
		stw_companion_number(
			c, "dependencies", "dependencies", STWATCH_COUNT, b->path ? (int64_t)b->dependencies : STWATCH_UNKNOWN) &&
		settings(c, b);
}
