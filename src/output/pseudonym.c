#include "output/pseudonym.h"

#include <string.h>

#include "analysis/places.h"

enum { NAME_LETTERS = 9, TEXT_LETTERS = 13 }; /* of five bits each */

typedef struct writer {
	const uint8_t *key;
	char *out;
	size_t used;
	bool full;
} writer;

static void put(writer *w, const char *data, size_t length)
{
	if (length > STW_PSEUDONYM_MAX - w->used) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->used, data, length);
	w->used += length;
}

static void put_hash(writer *w, char first, const char *data, size_t length, int letters)
{
	static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t h = stw_keyed_hash(w->key, data, length);
	char text[1 + TEXT_LETTERS] = {first};
	for (int i = 1; i <= letters; i++, h >>= 5)
		text[i] = ALPHABET[h & 31];
	put(w, text, 1 + (size_t)letters);
}

size_t stw_pseudonym_text(const uint8_t key[static STW_KEY_SIZE], const char *text, size_t length, char out[static STW_PSEUDONYM_MAX])
{
	writer w = {.key = key, .out = out};
	if (length)
		put_hash(&w, 't', text, length, TEXT_LETTERS);
	return w.used;
}

/* ---- functions ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_name(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;
	if (c == 0xc2 && p + 1 < end && (unsigned char)p[1] == 0xb7) /* the middle dot of "f·dwrap·1" */
		return false;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(*p) || c == '_' || (c >= 0x80 && c != 0xb7);
}

/* Words that the compiler and every program use: they tell nothing, and analyses go by them. */
static bool is_common(const char *word, size_t length)
{
	static const char *const whole[] = {"main", "init", "glob", "fm", "type", "eq", "hash", "go", "shape"};
	static const char *const numbered[] = {"", "func", "gowrap", "dwrap", "deferwrap", "range"};
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (strlen(whole[i]) == length && memcmp(whole[i], word, length) == 0)
			return true;
	size_t digits = 0;
	while (digits < length && is_digit(word[length - 1 - digits]))
		digits++;
	for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
		if (strlen(numbered[i]) == length - digits && memcmp(numbered[i], word, length - digits) == 0)
			return true;
	return false;
}

static void put_word(writer *w, const char *word, size_t length)
{
	static const char *const prefixes[] = {"_cgoexp_", "_Cfunc_", "_cgo"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t n = strlen(prefixes[i]);
		if (length >= n && memcmp(word, prefixes[i], n) == 0) {
			put(w, word, n);
			word += n;
			length -= n;
		}
	}
	if (length == 0 || is_common(word, length))
		put(w, word, length);
	else
		put_hash(w, *word >= 'A' && *word <= 'Z' ? 'X' : 'x', word, length, NAME_LETTERS);
}

static void put_words(writer *w, const char *name, size_t length)
{
	for (const char *p = name, *end = name + length; p < end;) {
		const char *from = p;
		while (p < end && in_name(p, end))
			p++;
		if (p > from)
			put_word(w, from, (size_t)(p - from));
		from = p;
		while (p < end && !in_name(p, end))
			p++;
		put(w, from, (size_t)(p - from));
	}
}

static void put_without_types(writer *w, const char *name, size_t length)
{
	unsigned depth = 0;
	for (size_t i = 0; i < length; i++) {
		if (name[i] == '[' && depth++ == 0)
			put(w, "[...", 4);
		else if (name[i] == ']' && depth && --depth == 0)
			put(w, "]", 1);
		else if (!depth)
			put(w, name + i, 1);
	}
}

static bool stays(const char *name)
{
	return *name && stw_is_library(name) && strncmp(name, "type:", 5) != 0 && strncmp(name, "_cgo", 4) != 0;
}

size_t stw_pseudonym_function(const uint8_t key[static STW_KEY_SIZE], const char *name, size_t length, char out[static STW_PSEUDONYM_MAX])
{
	writer w = {.key = key, .out = out};
	if (strlen(name) == length && stays(name))
		put_without_types(&w, name, length);
	else
		put_words(&w, name, length);
	return w.full ? stw_pseudonym_text(key, name, length, out) : w.used;
}

/* ---- files ---- */

/* The path from a package on; NULL where the path does not end so. */
static const char *from_package(const char *path, size_t length, const char *package, size_t n)
{
	const char *base = memrchr(path, '/', length);
	if (!n || !base || (size_t)(base - path) < n || memcmp(base - n, package, n) != 0)
		return NULL;
	return base - n == path || base[-(ptrdiff_t)n - 1] == '/' ? base - n : NULL;
}

/* The path from the function's package on, or from the runtime: functions that it lends to other packages of the library stand in its files under
 * their names (sync.runtime_Semacquire in runtime/sema.go). */
static const char *library_part(const char *path, size_t length, const char *function)
{
	static const char LENDER[] = "runtime";
	size_t n = strcspn(function, "[(");
	const char *slash = memrchr(function, '/', n), *from = slash ? slash : function,
		   *dot = memchr(from, '.', n - (size_t)(from - function));
	const char *part = dot ? from_package(path, length, function, (size_t)(dot - function)) : NULL;
	return part ? part : from_package(path, length, LENDER, strlen(LENDER));
}

static void put_path(writer *w, const char *path, size_t length)
{
	static const char *const endings[] = {".go", ".s", ".c", ".cc", ".cpp", ".h", ".m"};
	size_t ending = 0;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = strlen(endings[i]);
		if (length > n && memcmp(path + length - n, endings[i], n) == 0)
			ending = n;
	}
	for (const char *p = path, *end = path + length - ending; p < end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p)), *to = slash ? slash : end;
		if (to > p)
			put_hash(w, 'x', p, (size_t)(to - p), NAME_LETTERS);
		if (slash)
			put(w, "/", 1);
		p = to + (slash != NULL);
	}
	put(w, path + length - ending, ending);
}

size_t stw_pseudonym_file(
	const uint8_t key[static STW_KEY_SIZE], const char *path, size_t length, const char *function, char out[static STW_PSEUDONYM_MAX])
{
	static const char GENERATED[] = "<autogenerated>";
	writer w = {.key = key, .out = out};
	const char *part = function && stays(function) ? library_part(path, length, function) : NULL;
	if (part)
		put(&w, part, length - (size_t)(part - path));
	else if (length == strlen(GENERATED) && memcmp(path, GENERATED, length) == 0)
		put(&w, path, length);
	else
		put_path(&w, path, length);
	return w.full ? stw_pseudonym_text(key, path, length, out) : w.used;
}
