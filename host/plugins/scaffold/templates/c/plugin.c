// The actions of the plugin. manifest.json describes their forms.
#include "culm.h"

#include <stdio.h>
#include <string.h>

// greet answers by itself: it needs nothing but its inputs.
static int greet(const culm_request *r) {
  const char *who = culm_text(culm_get(r->inputs, "name"), "");
  bool loud = culm_bool(culm_get(r->inputs, "loud"), false);
  char greeting[256];
  snprintf(greeting, sizeof greeting, "Hello, %.200s%s", who, loud ? "!" : ".");

  culm_log(CULM_INFO, greeting);
  culm_out out = {0};
  culm_open(&out, NULL, '{');
  culm_put_text(&out, "greeting", greeting);
  culm_close(&out, '}');
  return culm_succeed(&out);
}

// count_hosts asks a system, through the gateway: the only way out.
static int count_hosts(const culm_request *r) {
  const char *service = culm_text(culm_get(r->inputs, "service"), "");
  culm_out params = {0};
  culm_open(&params, NULL, '{');
  culm_put_text(&params, "service", service);
  culm_close(&params, '}');
  culm_response reply = culm_gateway("demo", "list_hosts", &params, NULL);
  if (reply.failure != NULL) return culm_fail_with(reply.failure);

  int in_service = 0;
  const culm_json *hosts = culm_get(reply.body, "hosts");
  for (const culm_json *h = hosts != NULL ? hosts->first : NULL; h != NULL; h = h->next) {
    if (strcmp(culm_text(culm_get(h, "state"), ""), "in") == 0) in_service++;
  }
  if (in_service == 0) return culm_fail("NO_HOSTS", "no host of this service is in service", true);

  culm_out out = {0};
  culm_open(&out, NULL, '{');
  culm_put_int(&out, "hosts", (int64_t)culm_count(hosts));
  culm_put_int(&out, "in_service", in_service);
  culm_close(&out, '}');
  return culm_succeed(&out);
}

const culm_action culm_actions[] = {
    {.id = "greet", .execute = greet},
    {.id = "count_hosts", .execute = count_hosts},
    {0},
};
