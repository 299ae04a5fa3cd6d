/* What this build and this machine can do, and how to get the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

static const cli_option OPTIONS[] = {{0}};

typedef struct check {
	const char *name;
	bool available;
	char detail[200];
} check;

static void say(check *c, const char *name, bool available, const char *detail)
{
	c->name = name;
	c->available = available;
	snprintf(c->detail, sizeof c->detail, "%s", detail);
}

static bool in_path(const char *program)
{
	char copy[4096], full[4352], *rest = copy;
	snprintf(copy, sizeof copy, "%s", getenv("PATH") ? getenv("PATH") : "");
	for (char *folder; (folder = strsep(&rest, ":")) != NULL;) {
		snprintf(full, sizeof full, "%s/%s", folder, program);
		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}

static void check_machine(check *processors, check *memory)
{
	char detail[120];
	snprintf(detail, sizeof detail, "%ld online: as many worker threads (--threads)", sysconf(_SC_NPROCESSORS_ONLN));
	say(processors, "processors", true, detail);
	double gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
	snprintf(detail, sizeof detail, "%.1f GiB: no limit is set unless --memory says so", gib);
	say(memory, "memory", true, detail);
}

static void print_text(cli_out *out, const check *checks, size_t n)
{
	cli_out_printf(out, "stwatch %s\n", stwatch_version());
	for (size_t i = 0; i < n; i++) {
		cli_out_printf(out, "  %-3s %-22s ", checks[i].available ? "yes" : "no", checks[i].name);
		cli_out_wrapped(out, 29, 29, checks[i].detail);
	}
}

static void print_json(cli_out *out, const check *checks, size_t n)
{
	cli_out_put(out, "{\"schema\":\"stwatch.doctor/1\",\"version\":");
	cli_out_json(out, stwatch_version());
	cli_out_put(out, ",\"checks\":[");
	for (size_t i = 0; i < n; i++) {
		cli_out_printf(out, "%s{\"name\":", i > 0 ? "," : "");
		cli_out_json(out, checks[i].name);
		cli_out_printf(out, ",\"available\":%s,\"detail\":", checks[i].available ? "true" : "false");
		cli_out_json(out, checks[i].detail);
		cli_out_put(out, "}");
	}
	cli_out_put(out, "]}\n");
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)arguments;
	(void)operands;
	(void)n;
	enum { N_CHECKS = 8 };
	check checks[N_CHECKS];
	say(&checks[0], "Go traces, 1.22 on", true, "every header from go 1.22 to go 1.26");
	say(&checks[1], "Go traces, 1.5 to 1.21", false, "not in this version: record with Go 1.22 or later");
	say(&checks[2], "gzip, zstd", true, "compressed inputs are recognised by their content");
	say(&checks[3], "pprof profiles", stwatch_has("pprof"),
		stwatch_has("pprof") ? "CPU, mutex, block, goroutine and heap profiles are read beside a trace, and written"
				     : "not built in: install libprotobuf-c-dev and protobuf-c-compiler, then build again");
	say(&checks[4], "http addresses", false, "not in this version: curl ADDRESS | stwatch diagnose -");
	bool go = in_path("go");
	say(&checks[5], "go command", go,
		go ? "can record traces: go test -trace FILE" : "not in PATH; only needed to record traces, not to read them");
	check_machine(&checks[6], &checks[7]);
	if (session->globals.format == CLI_FORMAT_JSON)
		print_json(&session->out, checks, N_CHECKS);
	else
		print_text(&session->out, checks, N_CHECKS);
	return cli_out_finish(&session->out);
}

const cli_command cli_doctor = {
	.name = "doctor",
	.summary = "what this build and this machine can and can't do, and how to get it",
	.operands = "",
	.about = "Looks at this build and this machine; reads no input.",
	.options = OPTIONS,
	.operands_min = 0,
	.operands_max = 0,
	.run = run,
};
