// What a plugin for Culm in C is written with. Take these two files, culm.h and culm.c, as they are.
//
// Every call runs in a fresh instance of the module: memory is as it was after initialisation, whatever an earlier call
// did. So nothing here is ever freed, and nothing may be kept in a variable from one call to the next: what must
// outlive a call goes into the state of a wait.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- reading JSON -----------------------------------------------------------

typedef enum { CULM_NULL, CULM_BOOL, CULM_NUMBER, CULM_TEXT, CULM_LIST, CULM_OBJECT } culm_kind;

// One value. NULL stands for a value that is not there; every function below takes it.
typedef struct culm_json {
  culm_kind kind;
  bool truth;                     // of CULM_BOOL
  double number;                  // of CULM_NUMBER
  const char *text;               // of CULM_TEXT: UTF-8, ended by a zero byte
  const char *key;                // the name of a member of an object
  const struct culm_json *first;  // of CULM_LIST and CULM_OBJECT
  const struct culm_json *next;   // the next element or member
  const char *raw;                // the value as it was written, raw_length bytes
  size_t raw_length;
} culm_json;

const culm_json *culm_get(const culm_json *object, const char *key);
const char *culm_text(const culm_json *value, const char *otherwise);
double culm_number(const culm_json *value, double otherwise);
bool culm_bool(const culm_json *value, bool otherwise);
size_t culm_count(const culm_json *list);

// ---- writing JSON -----------------------------------------------------------

// What is being written. {0} is a good start. In a list the key is NULL.
typedef struct {
  char *data;
  size_t length, room;
} culm_out;

void culm_open(culm_out *, const char *key, char bracket);  // '{' or '['
void culm_close(culm_out *, char bracket);                  // '}' or ']'
void culm_put_text(culm_out *, const char *key, const char *value);
void culm_put_int(culm_out *, const char *key, int64_t value);
void culm_put_number(culm_out *, const char *key, double value);  // what JSON cannot hold becomes null
void culm_put_bool(culm_out *, const char *key, bool value);
void culm_put_json(culm_out *, const char *key, const culm_json *value);

// ---- a call -----------------------------------------------------------------

typedef struct {
  const char *action;
  const char *reason;         // execute, poll, timer, callback, cancel, rollback, options
  const culm_json *inputs;    // valid against the schema of the manifest
  const culm_json *state;     // what the wait before carried
  const culm_json *callback;  // what came in, for the reason callback
  const culm_json *outputs;   // those of the attempt, for the reason rollback
  const char *field;          // the form field that wants choices, for the reason options
  const culm_json *form;      // the values of its siblings
  const culm_json *context;   // project, run, node, attempt, operator, zone
  int polls;                  // how often it was polled before
} culm_request;

// What a function of an action returns: 0 when it answered with one of these.
int culm_succeed(const culm_out *outputs);
int culm_fail(const char *code, const char *message, bool retryable);
int culm_fail_with(const culm_json *failure);  // passes a failure of the gateway on
int culm_wait_poll(int64_t after_ms, const culm_out *state);
int culm_wait_callback(const culm_out *state);
int culm_wait_ask(const char *prompt, const char *schema, const culm_out *state);  // schema: JSON, or NULL

// The functions of one action; those that it does not offer are NULL. plugin.c defines the list, ended by {0}.
typedef int (*culm_function)(const culm_request *);
typedef struct {
  const char *id;
  culm_function execute, resume, cancel, rollback, options;
} culm_action;
extern const culm_action culm_actions[];

// ---- the host ---------------------------------------------------------------

// The answer of a system: failure is NULL, or says why there is none.
typedef struct {
  int status;
  const culm_json *body;
  const char *text;  // the body when it is not JSON
  const culm_json *failure;
} culm_response;

// Calls an operation that an administrator granted. params is an object, or NULL; body is any JSON, or NULL.
culm_response culm_gateway(const char *system, const char *operation, const culm_out *params, const culm_out *body);

typedef enum { CULM_DEBUG, CULM_INFO, CULM_WARN, CULM_ERROR } culm_level;
void culm_log(culm_level level, const char *text);
void culm_progress(int percent, const char *message);  // message: NULL for none
