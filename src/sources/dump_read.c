#include "sources/dump_read.h"

#include <string.h>

enum {
	MOST_WORDS = 2 << 20, /* kept of a whole file */
	MOST_ALIKE = 16, /* stacks of one hash that are compared; more are not folded */
	NAME_MAX_LENGTH = 4096,
	REASON_REACH = 32, /* lines between a reason and the first goroutine */
	GP_REACH = 128, /* bytes that such addresses may take */
	RELAY_REACH = 3, /* lines between the dash line of a relayed signal and its own first line */
};

typedef enum section { OUTSIDE, GOROUTINE, RECORD, SKIPPED } section;

/* A function line whose file line is still to come. */
typedef struct pending {
	bool is;
	bool created; /* "created by …" */
	uint32_t function; /* number of its name */
	uint64_t parent;
	uint64_t first; /* argument, 0: not sure */
	uint32_t n_words;
	stw_dump_word words[STW_DUMP_WORDS];
} pending;

struct stw_dump_reader {
	stw_dump *d;
	section section;
	size_t column; /* where a block's own text begins: after whatever a log puts before each line */
	bool profile; /* within the records of debug=1 */
	bool relay; /* a crashing thread after the first: it shows again what was shown */
	uint64_t dashes; /* line of the last "-----"; 0: none */
	const char *reason;
	uint64_t reason_line;
	bool asleep;
	/* the goroutine that is being read */
	stw_dump_g g;
	pending pending;
	bool elided;
	uint32_t n, n_words;
	stwatch_frame created;
	uint32_t created_numbers[2];
	stwatch_frame frames[STW_DUMP_FRAMES];
	uint32_t numbers[STW_DUMP_FRAMES][2]; /* function and file by number */
	uint64_t first[STW_DUMP_FRAMES]; /* first arguments */
	stw_dump_word words[STW_DUMP_WORDS];
	/* what is known of all */
	stw_map folded; /* hash → the last stack of it */
	STW_VEC(uint32_t) alike; /* by stack: another of the same hash, or STW_DUMP_NONE */
	STW_VEC(uint8_t) library; /* by name: 0 not looked at, 1 the library's, 2 not */
	bool failed;
};

stw_dump_reader *stw_dump_reader_new(stw_dump *dump)
{
	stw_dump_reader *r = stw_mem_zalloc(dump->mem, sizeof *r);
	if (!r)
		return NULL;
	r->d = dump;
	stw_map_init(&r->folded, dump->mem);
	return r;
}

void stw_dump_reader_free(stw_dump_reader *r)
{
	if (!r)
		return;
	stw_mem *mem = r->d->mem;
	stw_map_free(&r->folded);
	stw_vec_free(mem, &r->alike);
	stw_vec_free(mem, &r->library);
	stw_mem_free(mem, r, sizeof *r);
}

/* ---- names ---- */

static uint32_t number_of(stw_dump_reader *r, const char *text, size_t length)
{
	uint32_t n = stw_intern_put(&r->d->names, text, length);
	r->failed |= n == UINT32_MAX;
	return n;
}

static bool is_library(stw_dump_reader *r, uint32_t name)
{
	while (r->library.count <= name) {
		uint8_t *slot = stw_vec_push(r->d->mem, &r->library);
		if (!slot) {
			r->failed = true;
			return true;
		}
		*slot = 0;
	}
	uint8_t *known = &r->library.items[name];
	if (!*known) {
		const char *text = stw_intern_get(&r->d->names, name).data;
		*known = stw_is_library(text) || strstr(text, "._Cfunc_") ? 1 : 2;
	}
	return *known == 1;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Decimal digits; NULL where there are none, or too many. */
static const char *read_number(const char *s, uint64_t *out)
{
	const char *from = s;
	*out = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		*out = *out * 10 + (uint64_t)(*s - '0');
	return s > from && s - from <= 18 ? s : NULL;
}

/* ---- stacks ---- */

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 29;
}

static uint64_t hash_of(const stw_dump_reader *r)
{
	uint64_t h = r->elided;
	for (uint32_t i = 0; i < r->n; i++)
		h = mix(h, ((uint64_t)r->numbers[i][0] << 32 | r->numbers[i][1]) + r->frames[i].line * 31);
	return mix(h, ((uint64_t)r->created_numbers[0] << 32 | r->created_numbers[1]) + r->created.line * 31);
}

/* Names are interned, so that equal ones have equal addresses. */
static bool same_frame(const stwatch_frame *a, const stwatch_frame *b)
{
	return a->function == b->function && a->file == b->file && a->line == b->line;
}

static bool same_stack(const stw_dump_reader *r, const stw_dump_stack *s)
{
	if (s->named.n != r->n || s->elided != r->elided || !same_frame(&s->created, &r->created))
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		if (!same_frame(&s->named.frames[i], &r->frames[i]))
			return false;
	return true;
}

static uint32_t new_stack(stw_dump_reader *r)
{
	stw_dump *d = r->d;
	stwatch_frame *frames = stw_arena_alloc(&d->names.arena, (r->n + 1) * sizeof *frames);
	uint32_t *alike = frames ? stw_vec_push(d->mem, &r->alike) : NULL;
	stw_dump_stack *s = alike ? stw_vec_push(d->mem, &d->stacks) : NULL;
	if (!s) {
		r->failed = true;
		return 0;
	}
	uint32_t user = 0;
	while (user < r->n && is_library(r, r->numbers[user][0]))
		user++;
	memcpy(frames, r->frames, r->n * sizeof *frames);
	*alike = STW_DUMP_NONE;
	*s = (stw_dump_stack){.named = {frames, r->n, user}, .created = r->created, .elided = r->elided};
	return (uint32_t)d->stacks.count - 1;
}

/* The stack that was just read: one that was seen before, or a new one. */
static uint32_t fold_stack(stw_dump_reader *r)
{
	uint64_t h = hash_of(r);
	uint32_t head = stw_map_get(&r->folded, h), s = head;
	unsigned n = 0;
	for (; s != STW_MAP_NONE && n < MOST_ALIKE; s = r->alike.items[s], n++)
		if (same_stack(r, &r->d->stacks.items[s]))
			return s;
	s = new_stack(r);
	if (r->failed)
		return 0;
	if (n < MOST_ALIKE) {
		r->alike.items[s] = head;
		r->failed |= !stw_map_put(&r->folded, h, s);
	}
	return s;
}

/* The address of what the goroutine waits for: the receiver of the library's innermost wait that tells it. */
static uint64_t object_of(stw_dump_reader *r)
{
	static const char *const waits[] = {"sync.(*Mutex).", "internal/sync.(*Mutex).", "sync.(*RWMutex).", "sync.(*WaitGroup).Wait",
		"sync.(*Cond).Wait", "internal/poll.(*fdMutex).", "runtime.chansend", "runtime.chanrecv"};
	for (uint32_t i = 0; i < r->n && is_library(r, r->numbers[i][0]); i++)
		for (size_t k = 0; r->first[i] && k < sizeof waits / sizeof *waits; k++)
			if (starts(r->frames[i].function, waits[k]))
				return r->first[i];
	return 0;
}

/* ---- goroutines ---- */

static void keep_words(stw_dump_reader *r)
{
	stw_dump *d = r->d;
	r->g.words = (uint32_t)d->words.count;
	for (uint32_t i = 0; i < r->n_words && d->words.count < MOST_WORDS; i++) {
		stw_dump_word *w = stw_vec_push(d->mem, &d->words);
		if (!w) {
			r->failed = true;
			return;
		}
		*w = r->words[i];
		r->g.n_words++;
	}
}

/* The block is over: what was read becomes a goroutine. */
static void close_block(stw_dump_reader *r)
{
	if (r->section == GOROUTINE || r->section == RECORD) {
		stw_dump *d = r->d;
		r->g.stack = fold_stack(r);
		r->g.object = object_of(r);
		r->g.wait = stw_dump_wait_of(stw_intern_get(&d->names, r->g.state).data, r->frames, r->n);
		keep_words(r);
		stw_dump_g *slot = r->failed || d->gs.count >= UINT32_MAX - 1 ? NULL : stw_vec_push(d->mem, &d->gs);
		if (slot) {
			*slot = r->g;
			r->failed |= r->g.id && !stw_map_put(&d->ids, r->g.id, (uint32_t)d->gs.count - 1);
			stw_dump_shot *shot = &d->shots.items[d->shots.count - 1];
			shot->n++;
			shot->goroutines += r->g.count;
		} else {
			r->failed = true;
		}
	}
	r->section = OUTSIDE;
}

static void open_block(stw_dump_reader *r, section section, const stw_dump_g *g)
{
	r->section = section;
	r->g = *g;
	r->pending.is = false;
	r->elided = false;
	r->n = r->n_words = 0;
	r->created = (stwatch_frame){"", "", 0};
	r->created_numbers[0] = r->created_numbers[1] = 0;
}

static void new_shot(stw_dump_reader *r, uint64_t line, bool record)
{
	stw_dump *d = r->d;
	stw_dump_shot *s = stw_vec_push(d->mem, &d->shots);
	if (!s) {
		r->failed = true;
		return;
	}
	*s = (stw_dump_shot){.first = (uint32_t)d->gs.count, .line = line, .record = record};
	if (r->reason && line - r->reason_line <= REASON_REACH) {
		s->reason = r->reason;
		s->reason_line = r->reason_line;
		s->asleep = r->asleep;
	}
	r->reason = NULL;
}

/* Whether the goroutine begins another dump than the one before it. */
static bool begins_dump(const stw_dump_reader *r, const stw_dump_g *g)
{
	const stw_dump *d = r->d;
	if (d->shots.count == 0)
		return true;
	const stw_dump_shot *s = &d->shots.items[d->shots.count - 1];
	uint32_t seen = stw_map_get(&d->ids, g->id);
	return s->record || (r->reason && s->n && g->line - r->reason_line <= REASON_REACH) ||
		(!r->relay && seen != STW_MAP_NONE && seen >= s->first);
}

/* One part of what stands between the brackets: ", 5 minutes". */
static void read_trait(stw_dump_g *g, const char *s)
{
	uint64_t n;
	const char *end = read_number(s, &n);
	if (end && starts(end, " minutes"))
		g->minutes = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	else if (starts(s, "locked to thread"))
		g->locked = true;
	else if ((starts(s, "synctest bubble ") && read_number(s + 16, &n)) || (starts(s, "synctest group ") && read_number(s + 15, &n)))
		g->bubble = (uint32_t)n;
}

/* "chan receive (leaked) (scan), 5 minutes, locked to thread labels:{…}" */
static void read_state(stw_dump_reader *r, stw_dump_g *g, const char *from, size_t length)
{
	char text[256];
	if (length >= sizeof text)
		length = sizeof text - 1;
	memcpy(text, from, length);
	text[length] = '\0';
	char *labels = strstr(text, " labels:{");
	if (labels)
		*labels = '\0';
	char *comma = strstr(text, ", ");
	for (char *next = comma; next; next = strstr(next + 2, ", "))
		read_trait(g, next + 2);
	if (comma)
		*comma = '\0';
	static const char *const marks[] = {" (durable)", " (scan)", " (leaked)"};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t n = strlen(text), m = strlen(marks[i]);
		if (n > m && strcmp(text + n - m, marks[i]) == 0) {
			text[n - m] = '\0';
			g->leaked |= i == 2;
		}
	}
	g->state = number_of(r, text, strlen(text));
}

/* "goroutine 7 gp=0xc000 m=0 mp=0x5f [chan send, 2 minutes]:" and nothing after it. */
static bool read_header(stw_dump_reader *r, const char *s, const stw_line *line)
{
	stw_dump_g g = {.count = 1, .line = line->number};
	const char *end = line->text + line->length, *at = read_number(s + strlen("goroutine "), &g.id), *open = at;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!at || end - at < 4 || end[-1] != ':' || end[-2] != ']')
		return false;
	if (starts(at, " gp=")) /* GOTRACEBACK=system: addresses of its g and m */
		open = memmem(at, (size_t)(end - at) < GP_REACH ? (size_t)(end - at) : GP_REACH, " [", 2);
	if (!open || !starts(open, " ["))
		return false;
	close_block(r);
	r->profile = false;
	r->column = (size_t)(s - line->text);
	if (g.id == 0) {
		r->d->threads++;
		r->section = SKIPPED;
		return true;
	}
	read_state(r, &g, open + 2, (size_t)(end - open) - 4);
	uint32_t seen = stw_map_get(&r->d->ids, g.id);
	if (begins_dump(r, &g))
		new_shot(r, line->number, false);
	else if (seen != STW_MAP_NONE && seen >= r->d->shots.items[r->d->shots.count - 1].first) {
		r->section = SKIPPED; /* shown once more by another thread */
		return true;
	}
	if (!r->failed)
		open_block(r, GOROUTINE, &g);
	return true;
}

/* ---- frames ---- */

static void push_frame(stw_dump_reader *r, const stwatch_frame *frame, uint32_t function, uint32_t file)
{
	if (r->n == STW_DUMP_FRAMES) {
		r->elided = true;
		return;
	}
	const pending *p = &r->pending;
	r->frames[r->n] = *frame;
	r->numbers[r->n][0] = function;
	r->numbers[r->n][1] = file;
	r->first[r->n] = p->is ? p->first : 0;
	for (uint32_t i = 0; p->is && i < p->n_words && r->n_words < STW_DUMP_WORDS && !is_library(r, function); i++) {
		r->words[r->n_words] = p->words[i];
		r->words[r->n_words++].frame = (uint8_t)r->n;
	}
	r->n++;
}

/* The arguments of a call, of which words that look like addresses are kept: "0xc000, {0x1, 0x2?}, …". A question mark means that the
 * register may have been used for something else since. */
static void read_arguments(pending *p, const char *s, const char *end)
{
	p->first = 0;
	p->n_words = 0;
	for (unsigned index = 0; s < end; index++) {
		s += strspn(s, " ,{}");
		if (s + 2 >= end || s[0] != '0' || s[1] != 'x')
			return;
		uint64_t value = 0;
		unsigned digits = 0;
		for (s += 2; s < end; s++, digits++) {
			const int c = (unsigned char)*s, digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
			if (digit < 0)
				break;
			value = value << 4 | (uint64_t)digit;
		}
		bool sure = *s != '?' && digits <= 16;
		s += *s == '?';
		if (!sure || value < 4096)
			continue;
		if (index == 0)
			p->first = value;
		if (p->n_words < STW_DUMP_WORDS)
			p->words[p->n_words++] = (stw_dump_word){.value = value, .first = index == 0};
	}
}

/* "main.(*T).f(0x1, …)", or the bare name of a C function. */
static void read_function(stw_dump_reader *r, const char *s, size_t length)
{
	const char *end = s + length, *paren = NULL;
	if (length > 1 && end[-1] == ')')
		paren = memrchr(s, '(', length);
	size_t name = paren ? (size_t)(paren - s) : length, blank = strcspn(s, " \t");
	if (name == 0 || name > NAME_MAX_LENGTH || (blank < name && !memchr(s, '[', blank)))
		return; /* a line of something else */
	pending *p = &r->pending;
	p->is = true;
	p->created = false;
	p->function = number_of(r, s, name);
	read_arguments(p, paren ? paren + 1 : end, end);
}

static void read_created(stw_dump_reader *r, const char *s)
{
	static const char IN[] = " in goroutine ";
	const char *in = strstr(s, IN);
	pending *p = &r->pending;
	size_t length = in ? (size_t)(in - s) : strlen(s);
	if (length > NAME_MAX_LENGTH)
		return;
	p->is = p->created = true;
	p->parent = 0;
	p->function = number_of(r, s, length);
	if (in)
		read_number(in + sizeof IN - 1, &p->parent);
}

/* "/path/file.go:12 +0x1d fp=…": false if it is no such thing. */
static bool read_place(const char *s, size_t *path, uint64_t *line)
{
	static const char *const tails[] = {" +0x", " fp=0x", " pc=0x"};
	size_t length = strlen(s);
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		const char *tail = strstr(s, tails[i]);
		if (tail && (size_t)(tail - s) < length)
			length = (size_t)(tail - s);
	}
	while (length && (s[length - 1] == ' ' || s[length - 1] == '\t'))
		length--;
	const char *colon = memrchr(s, ':', length);
	const char *end = colon ? read_number(colon + 1, line) : NULL;
	*path = colon ? (size_t)(colon - s) : 0;
	return end == s + length && *path > 0 && *path <= NAME_MAX_LENGTH;
}

static void read_file_line(stw_dump_reader *r, const char *s)
{
	pending *p = &r->pending;
	size_t path;
	stwatch_frame f;
	if (!p->is || !read_place(s, &path, &f.line))
		return;
	uint32_t file = number_of(r, s, path);
	if (r->failed)
		return;
	f.function = stw_intern_get(&r->d->names, p->function).data;
	f.file = stw_intern_get(&r->d->names, file).data;
	if (p->created) {
		r->created = f;
		r->created_numbers[0] = p->function;
		r->created_numbers[1] = file;
		r->g.parent = p->parent;
	} else {
		push_frame(r, &f, p->function, file);
	}
	p->is = false;
}

static void goroutine_line(stw_dump_reader *r, const char *s, size_t length)
{
	static const char CREATED[] = "created by ";
	if (strspn(s, " \t") == length)
		close_block(r);
	else if (*s == '\t' || *s == ' ')
		read_file_line(r, s + strspn(s, " \t"));
	else if (starts(s, CREATED))
		read_created(r, s + sizeof CREATED - 1);
	else if (starts(s, "...") && length > 9 && strcmp(s + length - 9, "elided...") == 0)
		r->elided = true;
	else if (starts(s, "[originating from goroutine "))
		r->pending.is = false, close_block(r), r->section = SKIPPED; /* GODEBUG=tracebackancestors: where its creators stood */
	else
		read_function(r, s, length);
}

/* ---- debug=1 ---- */

/* "#\t0x47eb64\tsync.(*Mutex).lockSlow+0x24\t\t/usr/lib/go/src/runtime/sema.go:95" */
static void record_line(stw_dump_reader *r, const char *s)
{
	s += 1 + strspn(s + 1, " \t");
	if (!starts(s, "0x"))
		return; /* labels */
	const char *name = s + strcspn(s, " \t");
	name += strspn(name, " \t");
	size_t length = strcspn(name, "\t");
	const char *place = name + length + strspn(name + length, "\t");
	for (size_t i = length; i-- > 2;) /* less the offset into the function */
		if (name[i - 1] == '0' && name[i] == 'x' && name[i - 2] == '+') {
			length = i - 2;
			break;
		}
	size_t path;
	stwatch_frame f;
	if (length == 0 || length > NAME_MAX_LENGTH || !read_place(place, &path, &f.line))
		return;
	uint32_t function = number_of(r, name, length), file = number_of(r, place, path);
	if (r->failed)
		return;
	f.function = stw_intern_get(&r->d->names, function).data;
	f.file = stw_intern_get(&r->d->names, file).data;
	push_frame(r, &f, function, file);
}

/* "12 @ 0x47db6e 0x45f432": so many goroutines with one stack. */
static bool read_record(stw_dump_reader *r, const char *s, const stw_line *line)
{
	uint64_t n;
	const char *end = read_number(s, &n);
	if (!end || n == 0 || n > UINT32_MAX || !starts(end, " @"))
		return false;
	close_block(r);
	const stw_dump_g g = {.count = (uint32_t)n, .line = line->number};
	open_block(r, RECORD, &g);
	return true;
}

static bool profile_line(stw_dump_reader *r, const stw_line *line)
{
	const char *s = line->length > r->column ? line->text + r->column : "";
	if (*s == '#') {
		if (r->section == RECORD)
			record_line(r, s);
	} else if (strspn(s, " \t") == strlen(s)) {
		close_block(r);
	} else if (!read_record(r, s, line)) {
		close_block(r);
		r->profile = false;
		return false;
	}
	return true;
}

/* ---- between the goroutines ---- */

/* "SIGQUIT: quit" */
static const char *signal_in(const char *s)
{
	for (const char *p = s; (p = strstr(p, "SIG")); p += 3) {
		size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		if (n > 4 && p[n] == ':' && p[n + 1] == ' ' && (p == s || p[-1] == ' '))
			return p;
	}
	return NULL;
}

/* Why the program prints goroutines: kept until the first of them comes. */
static void outside_line(stw_dump_reader *r, const stw_line *line)
{
	const char *s = line->text, *why = strstr(s, "fatal error: ");
	if (strcmp(s, "-----") == 0) {
		r->dashes = line->number;
		return;
	}
	if (strstr(s, "runtime stack:")) {
		r->section = SKIPPED;
		return;
	}
	if (!why)
		why = strstr(s, "panic: ");
	if (!why)
		why = signal_in(s);
	if (!why || (r->reason && line->number - r->reason_line <= REASON_REACH))
		return;
	r->relay = r->dashes && line->number - r->dashes <= RELAY_REACH;
	if (r->relay)
		return;
	size_t length = strnlen(why, 200);
	r->reason = stw_intern_get(&r->d->names, number_of(r, why, length)).data;
	r->reason_line = line->number;
	r->asleep = strstr(why, "all goroutines are asleep - deadlock") || strstr(why, "all goroutines in bubble are blocked");
}

bool stw_dump_reader_line(stw_dump_reader *r, const stw_line *line)
{
	static const char HEADER[] = "goroutine ", PROFILE[] = "goroutine profile: total ";
	for (const char *s = line->text; (s = strstr(s, HEADER)); s += sizeof HEADER - 1) {
		uint64_t total;
		if (starts(s, PROFILE) && read_number(s + sizeof PROFILE - 1, &total)) {
			close_block(r);
			r->column = (size_t)(s - line->text);
			r->profile = true;
			new_shot(r, line->number, true);
			return !r->failed;
		}
		if (read_header(r, s, line))
			return !r->failed;
	}
	if (r->profile && profile_line(r, line))
		return !r->failed;
	if (r->section == GOROUTINE) {
		bool has = line->length > r->column;
		goroutine_line(r, has ? line->text + r->column : "", has ? line->length - r->column : 0);
		return !r->failed;
	}
	if (r->section == SKIPPED && strspn(line->text, " \t") == line->length)
		r->section = OUTSIDE;
	outside_line(r, line);
	return !r->failed;
}

bool stw_dump_reader_end(stw_dump_reader *r)
{
	close_block(r);
	return !r->failed && stw_dump_group_all(r->d) && stw_dump_find_locks(r->d);
}
