// The actions of the plugin. manifest.json describes their forms.
import { failed, failedWith, gateway, info, log, plugin, succeeded } from "./culm.js";

plugin({
  greet: { execute: greet },
  count_hosts: { execute: countHosts },
});

// greet answers by itself: it needs nothing but its inputs.
function greet({ inputs }) {
  const greeting = `Hello, ${inputs.name}${inputs.loud ? "!" : "."}`;

  log(info, greeting);
  return succeeded({ greeting });
}

// countHosts asks a system, through the gateway: the only way out.
function countHosts({ inputs }) {
  const reply = gateway("demo", "list_hosts", { service: inputs.service });
  if (reply.failure) return failedWith(reply.failure);

  const { hosts } = reply.body;
  const inService = hosts.filter((host) => host.state === "in").length;
  if (inService === 0) return failed("NO_HOSTS", "no host of this service is in service", true);
  return succeeded({ hosts: hosts.length, in_service: inService });
}
