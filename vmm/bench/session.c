/* session.c - which rows. */
#include "bench/session.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static struct session_row *find_row(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->row_count; i++)
        if (strcmp(session->rows[i].name, name) == 0)
            return &session->rows[i];
    return NULL;
}

static struct session_row *add_row(struct session *session, const char *name)
{
    struct session_row *larger =
        reallocarray(session->rows, session->row_count + 1, sizeof(*larger));
    if (larger == NULL)
        return NULL;
    session->rows = larger;
    larger[session->row_count] = (struct session_row){.name = strdup(name)};
    return larger[session->row_count].name != NULL ? &larger[session->row_count++] : NULL;
}

static int add_rows(struct session *session, size_t subject, char *text, const regex_t *regex,
                    struct zvmm_error *error)
{
    char *save = NULL;
    for (char *name = strtok_r(text, "\r\n", &save); name != NULL;
         name = strtok_r(NULL, "\r\n", &save)) {
        if (strchr(name, ' ') != NULL)
            continue;
        if (regex != NULL && regexec(regex, name, 0, NULL, 0) != 0)
            continue;
        struct session_row *row = find_row(session, name);
        if (row == NULL && (row = add_row(session, name)) == NULL)
            return error_set(error, "bench: out of memory");
        row->known |= 1u << subject;
    }
    return 0;
}

static int list_rows(struct session *session, size_t subject, const regex_t *regex,
                     struct zvmm_error *error)
{
    char *words[] = {"--list", NULL};
    struct boot_order order = {.subject = &session->subjects[subject],
                               .cpu = session->cpu,
                               .seed = SESSION_FIRST_SEED,
                               .words = words};
    struct boot boot;
    int result = boot_run(&order, &boot, error);
    if (result == 0 && boot.status != 0)
        result = boot_failure(order.subject, &boot, error);
    if (result == 0)
        result = add_rows(session, subject, boot.text, regex, error);
    boot_clear(&boot);
    return result;
}

/* The subjects have nearly the same rows; each leaves out those that it does not know. */
int session_choose(struct session *session, struct zvmm_error *error)
{
    regex_t regex;
    int result = 0;
    if (session->filter != NULL) {
        int code = regcomp(&regex, session->filter, REG_EXTENDED | REG_NOSUB | REG_ICASE);
        if (code != 0) {
            char reason[128];
            regerror(code, &regex, reason, sizeof(reason));
            return error_set(error,
                             "bench: --filter '%.80s': %s; write an extended regular expression",
                             session->filter, reason);
        }
    }
    for (size_t i = 0; i < session->subject_count && result == 0; i++)
        result = list_rows(session, i, session->filter != NULL ? &regex : NULL, error);
    if (session->filter != NULL)
        regfree(&regex);
    if (result == 0 && session->row_count == 0)
        return error_set(error, "bench: --filter '%.80s': no row matches; --list shows the rows",
                         session->filter != NULL ? session->filter : "");
    return result;
}

void session_clear(struct session *session)
{
    for (size_t i = 0; i < session->row_count; i++)
        free(session->rows[i].name);
    free(session->rows);
    samples_clear(&session->samples_taken);
    session->rows = NULL;
    session->row_count = 0;
}
