#include "v1/format.h"

#include <string.h>

static const struct {
	const char *name;
	uint8_t since, n_args, stack;
} rows[STW_V1_TYPES] = {
#define STW_V1_EVENT(number, name, since, n, stack) [number] = {#name, since, n, stack},
#include "v1/v1_events.def"
#undef STW_V1_EVENT
};

/* What older formats have not, or more. Source: argNum in internal/trace/parser.go of Go 1.10. */
static void adapt(stw_v1_format *f)
{
	if (f->minor < 7) {
		f->n_values[STW_V1_Batch]++; /* the sequence number */
		f->n_values[STW_V1_Frequency]++; /* one that is not used */
		f->n_values[STW_V1_TimerGoroutine]++;
		f->n_values[STW_V1_GCStart]--; /* without a number of its own */
		f->n_values[STW_V1_GoStart]--;
		f->n_values[STW_V1_GoUnblock]--;
	}
	if (f->minor < 9)
		f->n_values[STW_V1_GCSweepDone] -= 2;
	if (f->minor < 10)
		f->n_values[STW_V1_GCSTWStart]--; /* without a kind */
}

static uint8_t whose(unsigned type)
{
	switch (type) {
	case STW_V1_GoStart:
	case STW_V1_GoStartLocal:
	case STW_V1_GoStartLabel: return STW_V1_OF_STARTING;
	case STW_V1_GoEnd:
	case STW_V1_GoStop:
	case STW_V1_GoSched:
	case STW_V1_GoPreempt:
	case STW_V1_GoSleep:
	case STW_V1_GoBlock:
	case STW_V1_GoBlockSend:
	case STW_V1_GoBlockRecv:
	case STW_V1_GoBlockSelect:
	case STW_V1_GoBlockSync:
	case STW_V1_GoBlockCond:
	case STW_V1_GoBlockNet:
	case STW_V1_GoBlockGC:
	case STW_V1_GoSysBlock: return STW_V1_OF_LEAVING;
	case STW_V1_GoSysExit:
	case STW_V1_GoSysExitLocal:
	case STW_V1_GoWaiting:
	case STW_V1_GoInSyscall: return STW_V1_OF_NAMED;
	default: return STW_V1_OF_RUNNING;
	}
}

static void prepare(stw_v1_format *f)
{
	for (unsigned type = 0; type < STW_V1_TYPES; type++) {
		f->whose[type] = whose(type);
		bool plain = type > STW_V1_Stack && type != STW_V1_TimerGoroutine && type != STW_V1_String && type != STW_V1_UserLog &&
			type != STW_V1_CPUSample;
		for (unsigned count = 0; plain && f->minor >= 10 && count < 4; count++) /* of 3 the record itself says how long it is */
			if (count == 3 || count + f->before == f->n_values[type])
				f->plain[count << 6 | type] = f->n_values[type];
		f->stack_mask[type] = f->stack[type] ? UINT32_MAX : 0;
	}
}

void stw_v1_format_init(stw_v1_format *f, unsigned minor)
{
	memset(f, 0, sizeof *f);
	f->minor = minor;
	f->before = minor < 7 ? 2 : 1;
	f->inline_values = minor < 7 ? 5 : 4;
	for (unsigned type = 0; type < STW_V1_TYPES; type++) {
		if (!rows[type].name || rows[type].since > minor)
			continue;
		bool timed = type != STW_V1_Batch && type != STW_V1_Frequency && type != STW_V1_TimerGoroutine && type != STW_V1_Stack;
		f->n_values[type] = (uint8_t)(rows[type].n_args + rows[type].stack + (timed ? f->before : 0));
		f->stack[type] = rows[type].stack;
	}
	adapt(f);
	if (minor >= 7)
		f->n_values[STW_V1_String] = 1; /* it exists; its layout is its own */
	prepare(f);
}

int stw_v1_text_argument(unsigned type)
{
	switch (type) {
	case STW_V1_GoStartLabel:
	case STW_V1_UserTaskCreate:
	case STW_V1_UserRegion: return 2;
	case STW_V1_UserLog: return 1;
	default: return -1;
	}
}

const char *stw_v1_event_name(unsigned type)
{
	return type < STW_V1_TYPES && rows[type].name ? rows[type].name : "?";
}
