// The library behind culm.h: JSON, the host functions, and the exports of the module.
#include "culm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("extism:host/env", "input_length") uint64_t input_length(void);
IMPORT("extism:host/env", "length") uint64_t block_length(uint64_t block);
IMPORT("extism:host/env", "error_set") void error_set(uint64_t block);
IMPORT("culm:host/v1", "input_read") uint32_t input_read(uint32_t offset, char *to, uint32_t length);
IMPORT("culm:host/v1", "output_write") void output_write(const char *from, uint32_t length);
IMPORT("culm:host/v1", "block_read") uint32_t block_read(uint64_t block, char *to, uint32_t length);
IMPORT("culm:host/v1", "block_write") uint64_t block_write(const char *from, uint32_t length);
IMPORT("culm:host/v1", "gateway_call") uint64_t gateway_call(uint64_t request);
IMPORT("culm:host/v1", "log") void host_log(uint32_t level, uint64_t text);
IMPORT("culm:host/v1", "progress") void host_progress(uint32_t percent, uint64_t message);

static void *room(size_t n) {
  void *p = malloc(n);
  if (p == NULL) __builtin_trap();
  return p;
}

static uint64_t block_of(const char *text) { return block_write(text, strlen(text)); }

// ---- reading JSON -----------------------------------------------------------

typedef struct {
  const char *at, *end;
} source;

static const culm_json *value(source *, const char *key, int depth);

static void blank(source *s) {
  while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL) s->at++;
}

static bool taken(source *s, char c) {
  blank(s);
  if (s->at >= s->end || *s->at != c) return false;
  s->at++;
  return true;
}

static unsigned hex4(const char *at) {
  unsigned v = 0;
  for (int i = 0; i < 4; i++) {
    unsigned c = (unsigned char)at[i], low = c | 0x20;
    v = v << 4 | (c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : 0);
  }
  return v;
}

static char *utf8(char *to, unsigned c) {
  if (c < 0x80) return *to++ = (char)c, to;
  if (c < 0x800) return *to++ = (char)(0xc0 | c >> 6), *to++ = (char)(0x80 | (c & 0x3f)), to;
  if (c >= 0x10000) {
    *to++ = (char)(0xf0 | c >> 18);
    *to++ = (char)(0x80 | (c >> 12 & 0x3f));
  } else {
    *to++ = (char)(0xe0 | c >> 12);
  }
  *to++ = (char)(0x80 | (c >> 6 & 0x3f));
  *to++ = (char)(0x80 | (c & 0x3f));
  return to;
}

// escape reads what follows a backslash.
static char *escape(source *s, char *to) {
  char c = *s->at++;
  switch (c) {
    case 'n': *to++ = '\n'; return to;
    case 't': *to++ = '\t'; return to;
    case 'r': *to++ = '\r'; return to;
    case 'b': *to++ = '\b'; return to;
    case 'f': *to++ = '\f'; return to;
    case 'u': break;
    default: *to++ = c; return to;
  }
  if (s->end - s->at < 4) return to;
  unsigned code = hex4(s->at);
  s->at += 4;
  if (code >= 0xd800 && code < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u') {
    code = 0x10000 + ((code & 0x3ff) << 10) + (hex4(s->at + 2) & 0x3ff);
    s->at += 6;
  }
  return utf8(to, code);
}

// text reads a string; the opening quote is taken already.
static const char *text(source *s) {
  const char *close = s->at;
  while (close < s->end && *close != '"') close += *close == '\\' ? 2 : 1;
  char *start = room(close - s->at + 1), *to = start;
  while (s->at < s->end && *s->at != '"') {
    if (*s->at == '\\' && s->end - s->at > 1) {
      s->at++;
      to = escape(s, to);
    } else {
      *to++ = *s->at++;
    }
  }
  *to = 0;
  if (s->at < s->end) s->at++;
  return start;
}

static void children(source *s, culm_json *v, char close, int depth) {
  const culm_json **last = &v->first;
  while (!taken(s, close) && s->at < s->end) {
    const char *key = NULL;
    if (close == '}') {
      if (!taken(s, '"')) return;
      key = text(s);
      if (!taken(s, ':')) return;
    }
    const culm_json *child = value(s, key, depth + 1);
    if (child == NULL) return;
    *last = child;
    last = (const culm_json **)&child->next;
    taken(s, ',');
  }
}

static const culm_json *value(source *s, const char *key, int depth) {
  blank(s);
  if (s->at >= s->end || depth > 64) return NULL;
  culm_json *v = room(sizeof *v);
  *v = (culm_json){.key = key, .raw = s->at};
  char c = *s->at;
  if (c == '"') {
    s->at++;
    v->kind = CULM_TEXT;
    v->text = text(s);
  } else if (c == '{' || c == '[') {
    s->at++;
    v->kind = c == '{' ? CULM_OBJECT : CULM_LIST;
    children(s, v, c == '{' ? '}' : ']', depth);
  } else if (c == 't' || c == 'f') {
    v->kind = CULM_BOOL;
    v->truth = c == 't';
    s->at += c == 't' ? 4 : 5;
  } else if (c == 'n') {
    s->at += 4;
  } else {
    char *stop;
    v->kind = CULM_NUMBER;
    v->number = strtod(s->at, &stop);
    if (stop == s->at) return NULL;
    s->at = stop;
  }
  if (s->at > s->end) s->at = s->end;
  v->raw_length = s->at - v->raw;
  return v;
}

// parse reads JSON that ends with a zero byte behind length bytes.
static const culm_json *parse(const char *json, size_t length) {
  source s = {json, json + length};
  return value(&s, NULL, 0);
}

const culm_json *culm_get(const culm_json *object, const char *key) {
  if (object == NULL || object->kind != CULM_OBJECT) return NULL;
  for (const culm_json *v = object->first; v != NULL; v = v->next) {
    if (strcmp(v->key, key) == 0) return v;
  }
  return NULL;
}

const char *culm_text(const culm_json *v, const char *otherwise) { return v != NULL && v->kind == CULM_TEXT ? v->text : otherwise; }
double culm_number(const culm_json *v, double otherwise) { return v != NULL && v->kind == CULM_NUMBER ? v->number : otherwise; }
bool culm_bool(const culm_json *v, bool otherwise) { return v != NULL && v->kind == CULM_BOOL ? v->truth : otherwise; }

size_t culm_count(const culm_json *list) {
  size_t n = 0;
  if (list == NULL || list->kind != CULM_LIST) return 0;
  for (const culm_json *v = list->first; v != NULL; v = v->next) n++;
  return n;
}

// ---- writing JSON -----------------------------------------------------------

static void put(culm_out *o, const char *bytes, size_t n) {
  if (o->length + n > o->room) {
    o->room = (o->length + n) * 2 + 64;
    o->data = realloc(o->data, o->room);
    if (o->data == NULL) __builtin_trap();
  }
  memcpy(o->data + o->length, bytes, n);
  o->length += n;
}

static void quoted(culm_out *o, const char *s) {
  put(o, "\"", 1);
  for (; *s != 0; s++) {
    unsigned char c = (unsigned char)*s;
    char code[] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    if (c == '"' || c == '\\') {
      put(o, "\\", 1);
      put(o, s, 1);
    } else if (c < 0x20) {
      put(o, code, sizeof code);
    } else {
      put(o, s, 1);
    }
  }
  put(o, "\"", 1);
}

// name begins a member or an element.
static void name(culm_out *o, const char *key) {
  if (o->length > 0 && strchr("{[", o->data[o->length - 1]) == NULL) put(o, ",", 1);
  if (key == NULL) return;
  quoted(o, key);
  put(o, ":", 1);
}

static void member(culm_out *o, const char *key, const char *bytes, size_t n) {
  name(o, key);
  put(o, bytes, n);
}

void culm_open(culm_out *o, const char *key, char bracket) { member(o, key, &bracket, 1); }
void culm_close(culm_out *o, char bracket) { put(o, &bracket, 1); }
void culm_put_text(culm_out *o, const char *key, const char *v) { name(o, key), quoted(o, v); }
void culm_put_bool(culm_out *o, const char *key, bool v) { member(o, key, v ? "true" : "false", v ? 4 : 5); }
void culm_put_json(culm_out *o, const char *key, const culm_json *v) {
  if (v == NULL) member(o, key, "null", 4);
  else member(o, key, v->raw, v->raw_length);
}

void culm_put_int(culm_out *o, const char *key, int64_t v) {
  char digits[24], *at = digits + sizeof digits;
  uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
  do *--at = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (v < 0) *--at = '-';
  member(o, key, at, digits + sizeof digits - at);
}

void culm_put_number(culm_out *o, const char *key, double v) {
  char digits[32];
  if (!isfinite(v)) member(o, key, "null", 4);
  else member(o, key, digits, snprintf(digits, sizeof digits, "%.17g", v));
}

// ---- answers ----------------------------------------------------------------

// part adds a document that was written elsewhere.
static void part(culm_out *o, const char *key, const culm_out *json) {
  if (json != NULL && json->length > 0) member(o, key, json->data, json->length);
}

static int answered(culm_out *o) {
  culm_close(o, '}');
  output_write(o->data, o->length);
  return 0;
}

static void begin(culm_out *o, const char *status) {
  culm_open(o, NULL, '{');
  culm_put_text(o, "status", status);
}

int culm_succeed(const culm_out *outputs) {
  culm_out o = {0};
  begin(&o, "succeeded");
  part(&o, "outputs", outputs);
  return answered(&o);
}

int culm_fail(const char *code, const char *message, bool retryable) {
  culm_out o = {0};
  begin(&o, "failed");
  culm_open(&o, "failure", '{');
  culm_put_text(&o, "code", code);
  culm_put_text(&o, "message", message);
  if (retryable) culm_put_bool(&o, "retryable", true);
  culm_close(&o, '}');
  return answered(&o);
}

int culm_fail_with(const culm_json *failure) {
  culm_out o = {0};
  begin(&o, "failed");
  culm_put_json(&o, "failure", failure);
  return answered(&o);
}

static int waiting(culm_out *o, const culm_out *state) {
  culm_close(o, '}');
  part(o, "state", state);
  return answered(o);
}

static void wait(culm_out *o, const char *kind) {
  begin(o, "waiting");
  culm_open(o, "wait", '{');
  culm_put_text(o, "kind", kind);
}

int culm_wait_poll(int64_t after_ms, const culm_out *state) {
  culm_out o = {0};
  wait(&o, "poll");
  culm_put_int(&o, "after_ms", after_ms);
  return waiting(&o, state);
}

int culm_wait_callback(const culm_out *state) {
  culm_out o = {0};
  wait(&o, "callback");
  return waiting(&o, state);
}

int culm_wait_ask(const char *prompt, const char *schema, const culm_out *state) {
  culm_out o = {0};
  wait(&o, "human");
  culm_put_text(&o, "prompt", prompt);
  if (schema != NULL) member(&o, "schema", schema, strlen(schema));
  return waiting(&o, state);
}

// ---- the host ---------------------------------------------------------------

culm_response culm_gateway(const char *system, const char *operation, const culm_out *params, const culm_out *body) {
  culm_out o = {0};
  culm_open(&o, NULL, '{');
  culm_put_text(&o, "system", system);
  culm_put_text(&o, "operation", operation);
  part(&o, "params", params);
  part(&o, "body", body);
  culm_close(&o, '}');
  uint64_t block = gateway_call(block_write(o.data, o.length));
  size_t length = block_length(block);
  char *json = room(length + 1);
  json[block_read(block, json, length)] = 0;
  const culm_json *v = parse(json, length);
  return (culm_response){
      .status = (int)culm_number(culm_get(v, "status"), 0),
      .body = culm_get(v, "body"),
      .text = culm_text(culm_get(v, "text"), ""),
      .failure = culm_get(v, "failure"),
  };
}

void culm_log(culm_level level, const char *text) { host_log(level, block_of(text)); }
void culm_progress(int percent, const char *message) { host_progress(percent, message == NULL ? 0 : block_of(message)); }

// ---- the exports ------------------------------------------------------------

static int broken(const char *why) {
  error_set(block_of(why));
  return 1;
}

// call finds the function of the action; at is its place in culm_action.
static int call(size_t at) {
  size_t length = input_length();
  char *json = room(length + 1);
  json[input_read(0, json, length)] = 0;
  const culm_json *v = parse(json, length);
  culm_request r = {
      .action = culm_text(culm_get(v, "action"), ""),
      .reason = culm_text(culm_get(v, "reason"), ""),
      .inputs = culm_get(v, "inputs"),
      .state = culm_get(v, "state"),
      .callback = culm_get(v, "callback"),
      .outputs = culm_get(v, "outputs"),
      .field = culm_text(culm_get(v, "field"), ""),
      .form = culm_get(v, "form"),
      .context = culm_get(v, "context"),
      .polls = (int)culm_number(culm_get(v, "polls"), 0),
  };
  for (const culm_action *a = culm_actions; a->id != NULL; a++) {
    if (strcmp(a->id, r.action) != 0) continue;
    culm_function f = *(const culm_function *)((const char *)a + at);
    return f != NULL ? f(&r) : broken("the action does not offer this call");
  }
  return broken("the plugin has no such action");
}

EXPORT("execute") int32_t on_execute(void) { return call(offsetof(culm_action, execute)); }
EXPORT("resume") int32_t on_resume(void) { return call(offsetof(culm_action, resume)); }
EXPORT("cancel") int32_t on_cancel(void) { return call(offsetof(culm_action, cancel)); }
EXPORT("rollback") int32_t on_rollback(void) { return call(offsetof(culm_action, rollback)); }
EXPORT("options") int32_t on_options(void) { return call(offsetof(culm_action, options)); }
