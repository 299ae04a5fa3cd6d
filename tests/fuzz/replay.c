/* Runs a fuzz target over files, for builds without a fuzzer: the corpus then is an ordinary test.
 *
 *   TARGET FILE…                      each file once
 *   TARGET --mutate SECONDS SEED FILE…   ever new changes of them (mutate.c, where the target has it), without a fuzzer's guidance; what fails is
 *                                     kept in ./crash-TARGET-SEED */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) __attribute__((weak));

enum { LARGEST = 64 << 10, SECONDS_EACH = 20 /* of the CPU */ };

typedef struct sample {
	uint8_t *data;
	size_t size;
} sample;

static struct {
	char path[200];
	uint8_t data[LARGEST];
	size_t size;
} tried;

static uint64_t state = 1;

static uint64_t any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

/* A byte or a few of them. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	for (uint64_t n = size ? 1 + any(4) : 0; n > 0; n--) {
		uint8_t *p = data + any(size);
		*p = any(2) ? (uint8_t)any(256) : *p ^ (uint8_t)(1u << any(8));
	}
	if (size > 1 && any(8) == 0)
		size = 1 + any(size);
	return size < max_size ? size : max_size;
}

static int read_file(const char *path, sample *s)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		return 1;
	}
	long size = ftell(file);
	rewind(file);
	/* Of the exact size, so that AddressSanitizer sees the first byte read past the end. */
	s->size = size > 0 ? (size_t)size : 0;
	s->data = malloc(s->size ? s->size : 1);
	int failed = !s->data || fread(s->data, 1, s->size, file) != s->size;
	if (failed)
		perror(path);
	fclose(file);
	return failed;
}

static void free_sample(sample *s)
{
	free(s->data);
	*s = (sample){0};
}

static void keep(int number)
{
	int fd = open(tried.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, tried.data, tried.size) == (ssize_t)tried.size)
		close(fd);
	signal(number, SIG_DFL);
	raise(number);
}

static void try_one(const sample *from)
{
	tried.size = from->size;
	memcpy(tried.data, from->data, from->size);
	tried.size = LLVMFuzzerCustomMutator ? LLVMFuzzerCustomMutator(tried.data, tried.size, LARGEST, (unsigned)any(1u << 31))
					     : LLVMFuzzerMutate(tried.data, tried.size, LARGEST);
	uint8_t *exact = malloc(tried.size ? tried.size : 1);
	if (!exact)
		abort();
	memcpy(exact, tried.data, tried.size);
	setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = SECONDS_EACH}, NULL);
	LLVMFuzzerTestOneInput(exact, tried.size);
	setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = 0}, NULL);
	free(exact);
}

static int mutate(const char *target, int seconds, const char *seed, char **paths, int n)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF};
	const char *slash = strrchr(target, '/');
	sample *samples = calloc((size_t)n + 1, sizeof *samples);
	size_t used = 0, runs = 0;
	if (!samples)
		return 1;
	for (int i = 0; i < n; i++) {
		if (read_file(paths[i], &samples[used]) == 0 && samples[used].size <= LARGEST)
			used++;
		else
			free_sample(&samples[used]);
	}
	snprintf(tried.path, sizeof tried.path, "crash-%s-%s", slash ? slash + 1 : target, seed);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], keep);
	state = (strtoull(seed, NULL, 10) + 1) * 0x9E3779B97F4A7C15u;
	for (time_t end = time(NULL) + seconds; used && time(NULL) < end; runs++)
		try_one(&samples[any(used)]);
	for (size_t i = 0; i < used; i++)
		free_sample(&samples[i]);
	free(samples);
	printf("%zu changed inputs of %zu tried\n", runs, used);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;
	if (argc > 3 && strcmp(argv[1], "--mutate") == 0)
		return mutate(argv[0], atoi(argv[2]), argv[3], argv + 4, argc - 4);
	for (int i = 1; i < argc; i++) {
		sample s = {0};
		failed |= read_file(argv[i], &s);
		if (s.data)
			LLVMFuzzerTestOneInput(s.data, s.size);
		free_sample(&s);
	}
	printf("%d inputs replayed\n", argc - 1);
	return failed;
}
