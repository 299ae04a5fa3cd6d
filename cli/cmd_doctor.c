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

typedef struct checkup {
	size_t n;
	check checks[24];
} checkup;

static void say(checkup *up, const char *name, bool available, const char *detail)
{
	check *c = &up->checks[up->n++];
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

/* What needs a library that may have been left out of the build. */
static void say_part(checkup *up, const char *name, const char *part, const char *with, const char *without)
{
	say(up, name, stwatch_has(part), stwatch_has(part) ? with : without);
}

static void check_inputs(checkup *up)
{
	say(up, "Go traces, 1.22 on", true, "every header from go 1.22 to go 1.26");
	say(up, "Go traces, 1.5 to 1.21", true, "the older format; those of 1.5 and 1.6 name no functions");
	say(up, "gzip, zstd", true, "compressed inputs are recognised by their content");
	say_part(up, "pprof profiles", "pprof", "CPU, mutex, block, goroutine and heap profiles are read beside a trace, and written",
		"not built in: install libprotobuf-c-dev and protobuf-c-compiler, then build again");
	say(up, "Go binaries", true, "ELF, beside a trace of Go 1.5 or 1.6, or a profile without names: those that it lacks");
	say(up, "goroutine dumps", true, "panics, SIGQUIT, debug=1 and debug=2, also within a log");
	say(up, "GODEBUG output", true, "schedtrace, scheddetail, gctrace, inittrace, also within a log");
	say_part(up, "http addresses", "http", "http and https addresses are read, such as those of net/http/pprof",
		"not built in, or libcurl is missing: curl -s ADDRESS | stwatch diagnose -, or install libcurl4 (to build: "
		"libcurl4-openssl-dev)");
}

static void check_machine(checkup *up)
{
	bool go = in_path("go");
	say(up, "go command", go,
		go ? "can record traces: go test -trace FILE" : "not in PATH; only needed to record traces, not to read them");
	char detail[120];
	snprintf(detail, sizeof detail, "%ld online: as many worker threads (--threads)", sysconf(_SC_NPROCESSORS_ONLN));
	say(up, "processors", true, detail);
	double gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
	snprintf(detail, sizeof detail, "%.1f GiB: no limit is set unless --memory says so", gib);
	say(up, "memory", true, detail);
}

static void print_text(cli_out *out, const checkup *up)
{
	cli_out_printf(out, "stwatch %s\n", stwatch_version());
	for (size_t i = 0; i < up->n; i++) {
		cli_out_printf(out, "  %-3s %-22s ", up->checks[i].available ? "yes" : "no", up->checks[i].name);
		cli_out_wrapped(out, 29, 29, up->checks[i].detail);
	}
}

static void print_json(cli_out *out, const checkup *up)
{
	cli_out_put(out, "{\"schema\":\"stwatch.doctor/1\",\"version\":");
	cli_out_json(out, stwatch_version());
	cli_out_put(out, ",\"checks\":[");
	for (size_t i = 0; i < up->n; i++) {
		cli_out_printf(out, "%s{\"name\":", i > 0 ? "," : "");
		cli_out_json(out, up->checks[i].name);
		cli_out_printf(out, ",\"available\":%s,\"detail\":", up->checks[i].available ? "true" : "false");
		cli_out_json(out, up->checks[i].detail);
		cli_out_put(out, "}");
	}
	cli_out_put(out, "]}\n");
}

static int run(cli_session *session, const void *arguments, const char *const *operands, size_t n)
{
	(void)arguments;
	(void)operands;
	(void)n;
	checkup up = {0};
	check_inputs(&up);
	check_machine(&up);
	if (session->globals.format == CLI_FORMAT_JSON)
		print_json(&session->out, &up);
	else
		print_text(&session->out, &up);
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
