/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/words.h"
#include "test.h"

#include <stdio.h>

static bool uses(const char *text, unsigned arg)
{
    char hole[4] = { '{', (char)('0' + arg), '}', '\0' };
    return strstr(text, hole) != NULL;
}

/* Every word has a name of its own and a text in every language; the languages use the same arguments. */
static void test_complete(void **state)
{
    (void)state;
    for (enum word w = W_NONE + 1; w < W_MAX_; w++) {
        const char *en = word_template(w, LANG_EN), *fr = word_template(w, LANG_FR);
        if (!word_name(w) || !en || !fr || !*en || !*fr) fail_msg("word %d is not whole", w);
        for (unsigned i = 0; i < WORD_ARGS_MAX; i++) {
            if (uses(en, i) != uses(fr, i)) {
                fail_msg("%s: {%u} in one language only", word_name(w), i);
            }
        }
    }
    for (enum word w = W_NONE + 1; w < W_MAX_; w++) {
        for (enum word k = w + 1; k < W_MAX_; k++) {
            if (strcmp(word_name(w), word_name(k)) == 0) {
                fail_msg("two words are named %s", word_name(w));
            }
        }
    }
}

static const struct row {
    const char *what;
    struct saying s;
    enum lang lang;
    const char *expected;
} ROWS[] = {
    { "arguments", { W_FIG_KAFKA, { STR("3"), STR("4") } }, LANG_EN, "3 brokers, 4 ms" },
    { "one", { W_FIG_RULES, { STR("1") } }, LANG_EN, "1 rule" },
    { "none is many in English", { W_FIG_RULES, { STR("0") } }, LANG_EN, "0 rules" },
    { "none is one in French", { W_FIG_RULES, { STR("0") } }, LANG_FR, "0 règle" },
    { "no-break space before a colon",
      { W_ALSO, { STR("x : y") } },
      LANG_FR,
      "aussi\xc2\xa0: x : y" },
    { "narrow ones inside quotation marks",
      { W_PANEL_EMPTY, { STR("Débit") } },
      LANG_FR,
      "Le panneau «\xe2\x80\xaf"
      "Débit\xe2\x80\xaf» ne montre rien" },
    { "before a percent sign",
      { W_DISK, { STR("/d"), STR("91") } },
      LANG_FR,
      "Le disque de /d est rempli à 91\xc2\xa0%" },
    { "commands stay as they are",
      { W_FIX_LISTENING, { STR("h"), STR("9092") } },
      LANG_FR,
      "ss -ltnp 'sport = :9092'" },
};

static void test_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        BUF(b, 0);
        say(&b, &ROWS[i].s, ROWS[i].lang);
        if (!str_eqc(buf_str(&b), ROWS[i].expected)) {
            fail_msg("%s: got \"" STR_FMT "\"", ROWS[i].what, STR_ARG(buf_str(&b)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_complete),
                                        cmocka_unit_test(test_say) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
