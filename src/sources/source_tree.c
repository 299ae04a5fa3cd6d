#include "sources/source_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { DEPTH_MAX = 64, ENTRIES_MAX = 2000000, PATH_LENGTH_MAX = 4000, FILE_MAX = 16 << 20, AROUND = 3, TIES_MAX = 16, LINE_KEPT = 240 };

/* ---- the folder ---- */

stwatch_status stw_source_tree_open(stw_source_tree *t, stw_mem *mem, const char *folder, stwatch_error *error)
{
	memset(t, 0, sizeof *t);
	t->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->folder < 0)
		return stw_fail(error, STWATCH_ERR_ARGUMENT, STWATCH_NO_OFFSET, "the folder of sources %.200s can't be opened: %s", folder,
			strerror(errno));
	t->mem = mem;
	stw_arena_init(&t->arena, mem);
	stw_intern_init(&t->names, mem);
	return STWATCH_OK;
}

void stw_source_tree_close(stw_source_tree *t)
{
	if (!t->mem)
		return;
	close(t->folder);
	stw_vec_free(t->mem, &t->files);
	stw_intern_free(&t->names);
	stw_arena_free(&t->arena);
	t->mem = NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

void stw_source_tree_want(stw_source_tree *t, const char *file)
{
	const char *name = last_part(file);
	t->failed |= stw_intern_put(&t->names, name, strlen(name)) == UINT32_MAX;
}

/* The number of a name that is wanted, 0: it is not. */
static uint32_t wanted(const stw_source_tree *t, const char *name)
{
	for (uint32_t i = 1; i < t->names.texts.count; i++)
		if (strcmp(t->names.texts.items[i].data, name) == 0)
			return i;
	return 0;
}

/* Opens what a path leads to, part by part, so that no part can be a symbolic link; -1. */
static int open_below(int folder, const char *path, int flags)
{
	char part[256];
	int at = dup(folder);
	while (at >= 0 && *path) {
		size_t length = strcspn(path, "/");
		if (length == 0 || length >= sizeof part || (length == 2 && memcmp(path, "..", 2) == 0)) {
			close(at);
			return -1;
		}
		memcpy(part, path, length);
		part[length] = '\0';
		path += length + (path[length] == '/');
		int next = openat(at, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (*path ? O_DIRECTORY : flags));
		close(at);
		at = next;
	}
	return at;
}

typedef struct walk {
	stw_source_tree *tree;
	STW_VEC(const char *) folders; /* still to be looked at */
	unsigned long entries;
} walk;

static bool is_folder(int at, const struct dirent *e)
{
	struct stat st;
	return fstatat(at, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static unsigned depth_of(const char *path)
{
	unsigned n = 0;
	for (; *path; path++)
		n += *path == '/';
	return n;
}

static void take_entry(walk *w, int at, const char *folder, const struct dirent *e)
{
	stw_source_tree *t = w->tree;
	uint32_t name = wanted(t, e->d_name);
	bool enter = !name && e->d_name[0] != '.' && strcmp(e->d_name, "node_modules") != 0 && is_folder(at, e);
	if ((!name && !enter) || strlen(folder) + strlen(e->d_name) > PATH_LENGTH_MAX || (enter && depth_of(folder) >= DEPTH_MAX))
		return;
	const char *path = stw_arena_printf(&t->arena, "%s%s%s", folder, *folder ? "/" : "", e->d_name);
	if (enter) {
		const char **slot = path ? stw_vec_push(t->mem, &w->folders) : NULL;
		t->failed |= !slot;
		if (slot)
			*slot = path;
		return;
	}
	stw_source_file *file = path ? stw_vec_push(t->mem, &t->files) : NULL;
	t->failed |= !file;
	if (file)
		*file = (stw_source_file){path, name};
}

static void walk_folder(walk *w, const char *folder)
{
	int fd = open_below(w->tree->folder, folder, O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rewinddir(dir); /* a copy of a handle shares its place */
	for (struct dirent *e; (e = readdir(dir)) != NULL && !w->tree->failed;) {
		if (++w->entries > ENTRIES_MAX) {
			w->tree->too_large = true;
			break;
		}
		take_entry(w, dirfd(dir), folder, e);
	}
	closedir(dir);
}

static int by_path(const void *a, const void *b)
{
	const stw_source_file *x = a, *y = b;
	return strcmp(x->path, y->path);
}

stwatch_status stw_source_tree_walk(stw_source_tree *t, const volatile int *cancel, stwatch_error *error)
{
	walk w = {.tree = t};
	const char **first = t->failed || t->names.texts.count <= 1 ? NULL : stw_vec_push(t->mem, &w.folders);
	if (first)
		*first = "";
	else if (t->names.texts.count > 1)
		t->failed = true;
	stwatch_status status = STWATCH_OK;
	while (first && w.folders.count > 0 && !t->failed && !t->too_large && status == STWATCH_OK) {
		walk_folder(&w, w.folders.items[--w.folders.count]);
		if (cancel && *cancel)
			status = stw_fail(error, STWATCH_ERR_CANCELLED, STWATCH_NO_OFFSET, "interrupted");
	}
	stw_vec_free(t->mem, &w.folders);
	if (t->files.count > 1) /* folders list in no order */
		qsort(t->files.items, t->files.count, sizeof *t->files.items, by_path);
	return t->failed ? stw_fail_memory(error) : status;
}

/* ---- which file ---- */

/* Where the last part of path[0..*length) begins; *length becomes what is before it. */
static const char *take_last(const char *path, size_t *length, size_t *part)
{
	size_t end = *length, begin = end;
	while (begin > 0 && path[begin - 1] != '/')
		begin--;
	*part = end - begin;
	*length = begin > 0 ? begin - 1 : 0;
	return path + begin;
}

/* A module's folder may bear its version in the trace, in the folder of sources, or in neither. */
static size_t without_version(const char *part, size_t length)
{
	const char *at = memchr(part, '@', length);
	return at && at > part ? (size_t)(at - part) : length;
}

/* How many parts two paths end with in common. */
static unsigned common_parts(const char *a, const char *b)
{
	size_t a_left = strlen(a), b_left = strlen(b), x, y;
	unsigned n = 0;
	while (a_left > 0 && b_left > 0) {
		const char *p = take_last(a, &a_left, &x), *q = take_last(b, &b_left, &y);
		x = without_version(p, x);
		y = without_version(q, y);
		if (x == 0 || x != y || memcmp(p, q, x) != 0)
			break;
		n++;
	}
	return n;
}

/* The files that end with most of the path, *count of them, at most TIES_MAX. */
static void best_files(const stw_source_tree *t, const char *file, const stw_source_file *best[static TIES_MAX], size_t *count)
{
	uint32_t name = wanted(t, last_part(file));
	unsigned most = 0;
	*count = 0;
	for (size_t i = 0; i < t->files.count; i++) {
		unsigned parts = t->files.items[i].name == name ? common_parts(file, t->files.items[i].path) : 0;
		if (parts == 0 || parts < most)
			continue;
		if (parts > most)
			*count = 0;
		most = parts;
		if (*count < TIES_MAX)
			best[(*count)++] = &t->files.items[i];
	}
}

/* ---- what stands in it ---- */

typedef struct contents {
	char *text; /* NUL-terminated */
	size_t size;
	STW_VEC(const char *) lines; /* where they begin; they end at \n */
} contents;

static void forget(stw_source_tree *t, contents *c)
{
	stw_mem_free(t->mem, c->text, c->size + 1);
	stw_vec_free(t->mem, &c->lines);
}

static bool read_whole(int fd, char *text, size_t size)
{
	size_t got = 0;
	ssize_t n = 1;
	while (got < size && n > 0) {
		n = pread(fd, text + got, size - got, (off_t)got);
		got += n > 0 ? (size_t)n : 0;
	}
	return got == size;
}

static bool split(stw_source_tree *t, contents *c)
{
	for (const char *p = c->text, *end = p + c->size; p < end;) {
		const char **line = stw_vec_push(t->mem, &c->lines), *next = memchr(p, '\n', (size_t)(end - p));
		if (!line)
			return false;
		*line = p;
		p = next ? next + 1 : end;
	}
	return true;
}

/* False: it can't be read, and nothing is to be forgotten. */
static bool read_file(stw_source_tree *t, const char *path, contents *c)
{
	struct stat st;
	int fd = open_below(t->folder, path, 0);
	*c = (contents){0};
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 && st.st_size <= FILE_MAX;
	if (ok) {
		c->size = (size_t)st.st_size;
		c->text = stw_mem_zalloc(t->mem, c->size + 1);
		ok = c->text && read_whole(fd, c->text, c->size);
		t->failed |= !c->text;
	}
	if (fd >= 0)
		close(fd);
	if (ok && split(t, c))
		return true;
	t->failed |= ok;
	if (c->text)
		forget(t, c);
	return false;
}

static size_t line_length(const contents *c, size_t i)
{
	size_t length = strcspn(c->lines.items[i], "\n");
	return length > 0 && c->lines.items[i][length - 1] == '\r' ? length - 1 : length;
}

/* ---- whether it is what the program was built from ---- */

/* "func1", "gowrap2", "deferwrap1", "2": what the compiler names. */
static bool is_generated(const char *part, size_t length)
{
	static const char *const WORDS[] = {"func", "gowrap", "deferwrap", ""};
	for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
		size_t word = strlen(WORDS[i]);
		if (length > word && memcmp(part, WORDS[i], word) == 0 && strspn(part + word, "0123456789-") >= length - word)
			return true;
	}
	return length == 0;
}

bool stw_source_identifier(const char *function, char *out, size_t size)
{
	char plain[512];
	size_t n = 0;
	unsigned depth = 0;
	const char *slash = NULL;
	for (const char *p = function; *p && *p != '['; p++) /* slashes within brackets are of types */
		slash = *p == '/' ? p : slash;
	for (const char *p = slash ? slash + 1 : function; *p && n + 1 < sizeof plain; p++) {
		depth += *p == '[';
		if (depth == 0)
			plain[n++] = *p;
		depth -= *p == ']' && depth > 0;
	}
	plain[n] = '\0';
	const char *first = strchr(plain, '.');
	if (!first)
		return false;
	first++;
	const char *second = strchr(first, '.');
	size_t length = second ? (size_t)(second - first) : strlen(first);
	if (second && !is_generated(second + 1, strcspn(second + 1, "."))) { /* a method: its type stands before it */
		first = second + 1;
		length = strcspn(first, ".");
	}
	length = strcspn(first, "-.") < length ? strcspn(first, "-.") : length; /* -fm, -range1 */
	if (length == 0 || length >= size || *first == '(' ||
		(length == 4 && (memcmp(first, "init", 4) == 0 || memcmp(first, "glob", 4) == 0)))
		return false;
	memcpy(out, first, length);
	out[length] = '\0';
	return true;
}

/* The identifier that a line declares a function with; *length 0: it declares none. */
static const char *declared(const char *line, size_t *length)
{
	*length = 0;
	if (strncmp(line, "func ", 5) != 0)
		return line;
	line += 5;
	if (*line == '(') { /* the receiver */
		line += strcspn(line, ")\n");
		line += *line == ')';
		line += strspn(line, " ");
	}
	*length = strcspn(line, "([ \n");
	return line;
}

/* What speaks against the line's being in the function; NULL: nothing. */
static const char *doubt_about(stw_source_tree *t, const contents *c, const char *path, const char *function, uint64_t line)
{
	char name[256];
	size_t length = 0, lines = c->lines.count;
	if (line > lines)
		return stw_arena_printf(&t->arena, "%s has %zu lines, and line %llu was meant: it has changed since, or is another file",
			path, lines, (unsigned long long)line);
	size_t path_length = strlen(path);
	if (path_length < 3 || strcmp(path + path_length - 3, ".go") != 0 || !stw_source_identifier(function, name, sizeof name))
		return NULL;
	bool ended = false;
	for (size_t i = (size_t)line; i-- > 0 && length == 0;) {
		const char *text = c->lines.items[i], *found = declared(text, &length);
		if (length == strlen(name) && memcmp(found, name, length) == 0 && !ended)
			return NULL;
		ended |= i + 1 < line && text[0] == '}';
	}
	return stw_arena_printf(
		&t->arena, "line %llu of %s is not in %s: it has changed since, or is another file", (unsigned long long)line, path, name);
}

/* ---- a listing ---- */

static bool is_marked(const uint64_t *lines, size_t n, uint64_t line)
{
	for (size_t i = 0; i < n; i++)
		if (lines[i] == line)
			return true;
	return false;
}

static bool is_near(const uint64_t *lines, size_t n, uint64_t line)
{
	for (size_t i = 0; i < n; i++)
		if (line + AROUND >= lines[i] && line <= lines[i] + AROUND)
			return true;
	return false;
}

/* Where a character of more bytes would be cut in two, all of it is left out. */
static size_t whole_characters(const char *text, size_t length)
{
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static bool take_lines(stw_source_tree *t, const contents *c, const uint64_t *lines, size_t n, stwatch_listing *out)
{
	size_t most = n * (2 * AROUND + 1);
	stwatch_source_line *kept = stw_arena_zalloc(&t->arena, (most + 1) * sizeof *kept);
	uint64_t from = lines[0] > AROUND ? lines[0] - AROUND : 1, to = lines[n - 1] + AROUND;
	for (uint64_t line = from; kept && line <= to && line <= c->lines.count && out->n_lines < most; line++) {
		if (!is_near(lines, n, line))
			continue;
		const char *text = c->lines.items[line - 1];
		size_t length = line_length(c, (size_t)line - 1);
		length = length > LINE_KEPT ? whole_characters(text, LINE_KEPT) : length;
		const char *copy = stw_arena_copy(&t->arena, text, length);
		if (!copy)
			return false;
		kept[out->n_lines++] = (stwatch_source_line){line, copy, is_marked(lines, n, line)};
	}
	out->lines = kept;
	return kept != NULL;
}

/* The file among equals in which nothing speaks against it; else the first. */
static const stw_source_file *choose(stw_source_tree *t, const char *file, const char *function, uint64_t line, const char **doubt)
{
	const stw_source_file *best[TIES_MAX], *chosen = NULL;
	size_t count;
	best_files(t, file, best, &count);
	for (size_t i = 0; i < count; i++) {
		contents c;
		if (!read_file(t, best[i]->path, &c))
			continue;
		const char *against = doubt_about(t, &c, best[i]->path, function, line);
		forget(t, &c);
		if (chosen && against)
			continue;
		chosen = best[i];
		*doubt = against;
		if (!against)
			break;
	}
	return chosen;
}

bool stw_source_tree_list(
	stw_source_tree *t, const char *file, const char *function, const uint64_t *lines, size_t n_lines, stwatch_listing *out)
{
	*out = (stwatch_listing){.function = function, .file = file};
	const stw_source_file *chosen = n_lines ? choose(t, file, function, lines[n_lines - 1], &out->doubt) : NULL;
	contents c;
	if (!chosen || !read_file(t, chosen->path, &c))
		return false;
	out->path = chosen->path;
	for (size_t i = 0; i < n_lines && !out->doubt; i++)
		out->doubt = doubt_about(t, &c, chosen->path, function, lines[i]);
	bool ok = take_lines(t, &c, lines, n_lines, out);
	t->failed |= !ok;
	forget(t, &c);
	return ok;
}
