/* What a function's name says of the identifier that it is declared with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sources/source_tree.h"

static void identifiers(void **state)
{
	static const struct {
		const char *function, *identifier; /* NULL: none */
	} ROWS[] = {
		{"main.publish", "publish"},
		{"main.publish.func1", "publish"},
		{"main.publish.func1.2", "publish"},
		{"main.(*T).Get", "Get"},
		{"main.(*T).Get-fm", "Get"},
		{"main.T.Get", "Get"},
		{"example.com/x.y/z.F", "F"},
		{"example.com/x.(*T[...]).Get.func1", "Get"},
		{"main.Map[go.shape.int,example.com/a.B]", "Map"},
		{"main.f.gowrap1", "f"},
		{"main.f.deferwrap2", "f"},
		{"main.f-range1", "f"},
		{"main.init.0", NULL},
		{"main.init.func1", NULL},
		{"main.glob..func1", NULL},
		{"", NULL},
		{"nodot", NULL},
		{"main.", NULL},
		{"main.[", NULL},
		{"main.(", NULL},
		{"/.", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
		char out[64] = "";
		bool found = stw_source_identifier(ROWS[i].function, out, sizeof out);
		assert_int_equal(found, ROWS[i].identifier != NULL);
		if (found)
			assert_string_equal(out, ROWS[i].identifier);
	}
	char small[4];
	assert_false(stw_source_identifier("main.publish", small, sizeof small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(identifiers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
