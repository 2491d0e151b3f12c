// The benchmark's plugin in C, on Extism's functions alone.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#define IMPORT(name) __attribute__((import_module("extism:host/env"), import_name(#name))) extern
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(input_length) uint64_t input_length(void);
IMPORT(input_load_u64) uint64_t input_load_u64(uint64_t);
IMPORT(input_load_u8) uint32_t input_load_u8(uint64_t);
IMPORT(alloc) uint64_t host_alloc(uint64_t);
IMPORT(store_u64) void store_u64(uint64_t, uint64_t);
IMPORT(store_u8) void store_u8(uint64_t, uint32_t);
IMPORT(output_set) void output_set(uint64_t, uint64_t);
IMPORT(log_info) void log_info(uint64_t);

static char *input(uint64_t *n) {
  *n = input_length();
  char *b = malloc(*n + 1);
  uint64_t i = 0;
  for (; i + 8 <= *n; i += 8) {
    uint64_t w = input_load_u64(i);
    memcpy(b + i, &w, 8);
  }
  for (; i < *n; i++) b[i] = (char)input_load_u8(i);
  b[*n] = 0;
  return b;
}

static uint64_t block(const char *b, uint64_t n) {
  uint64_t at = host_alloc(n), i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    memcpy(&w, b + i, 8);
    store_u64(at + i, w);
  }
  for (; i < n; i++) store_u8(at + i, (uint8_t)b[i]);
  return at;
}

// Value is a JSON value; a string's text and a container's parts are its own.
typedef struct Value {
  char kind;
  double number;
  char *text;
  struct Value *parts, *next;
} Value;

typedef struct {
  int numbers, strings;
  double sum;
  char *longest;
} Report;

static void space(char **p) { while (**p == ' ' || **p == '\n' || **p == '\t' || **p == '\r') ++*p; }

static char *string(char **p) {
  char *from = ++*p;
  while (**p && **p != '"') *p += **p == '\\' ? 2 : 1;
  uint64_t n = *p - from;
  char *s = malloc(n + 1), *to = s;
  for (char *q = from; q < from + n; q++) *to++ = *q == '\\' ? *++q : *q;
  *to = 0;
  ++*p;
  return s;
}

static Value *value(char **p) {
  Value *v = calloc(1, sizeof *v);
  space(p);
  v->kind = **p;
  if (v->kind == '"') {
    v->text = string(p);
  } else if (v->kind == '{' || v->kind == '[') {
    char end = v->kind == '{' ? '}' : ']';
    Value **tail = &v->parts;
    ++*p;
    for (space(p); **p && **p != end; space(p)) {
      char *key = 0;
      if (end == '}') {
        key = string(p);
        space(p);
        ++*p; // the colon
      }
      *tail = value(p);
      if (key && !(*tail)->text) (*tail)->text = key; else free(key);
      tail = &(*tail)->next;
      space(p);
      if (**p == ',') ++*p;
    }
    ++*p;
  } else {
    char *end;
    v->kind = '0';
    v->number = strtod(*p, &end);
    *p = end > *p ? end : *p + 1;
  }
  return v;
}

static void walk(Value *v, Report *r) {
  for (; v; v = v->next) {
    if (v->kind == '0') {
      r->numbers++;
      r->sum += v->number;
    }
    if (v->kind == '"') {
      r->strings++;
      if (!r->longest || strlen(v->text) > strlen(r->longest)) r->longest = v->text;
    }
    walk(v->parts, r);
  }
}

EXPORT(execute) int execute(void) {
  uint64_t n;
  char *p = input(&n);
  Report r = {0};
  walk(value(&p), &r);
  char *out = malloc(128 + (r.longest ? strlen(r.longest) : 0));
  int size = sprintf(out, "{\"numbers\":%d,\"sum\":%d,\"strings\":%d,\"longest\":\"%s\"}", r.numbers, (int)r.sum, r.strings, r.longest ? r.longest : "");
  output_set(block(out, size), size);
  return 0;
}

EXPORT(echo) int echo(void) {
  uint64_t n;
  char *b = input(&n);
  output_set(block(b, n), n);
  return 0;
}

EXPORT(park) int park(void) {
  int status = execute();
  log_info(block("parked", 6));
  return status;
}

EXPORT(spin) int spin(void) {
  for (volatile uint32_t x = 1;; x = x * 1664525u + 1013904223u)
    if (x == 0) return 1;
}

EXPORT(compute) int compute(void) {
  uint64_t x = 88172645463325252ull;
  for (int i = 0; i < 20000000; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x == 1;
}
